import type { Task } from 'graphile-worker';
import { z } from 'zod';
import type { Database } from '../db/database.ts';
import { addSendJob } from '../db/statements/jobs.ts';
import type { Unsent } from '../db/statements/send-queue.ts';
import { transaction } from '../db/transaction.ts';
import type { Log } from '../log.ts';
import type { MetaClient } from '../meta/client.ts';
import { recipientOf, textPayload, type MessagePayload } from '../meta/payloads.ts';
import type { SendOutcome } from '../meta/send.ts';
import type { Rules } from '../services/changes.ts';
import type { ChatModule, ReadModule } from '../services/module.ts';
import { recordResult, takeTurn, type SendResult, type SendSettings } from '../services/sending.ts';

export type SendOptions = {
  db: Database;
  meta: MetaClient;
  readModule: ReadModule;
  rulesOf: (module: ChatModule) => Rules;
  unknownWaitMs: number;
  timeoutMs: number;
  log: Log;
};

const payloadSchema = z.object({ conversationId: z.string() });
const DEFAULT_RETRY_MS = 2_000;
const LEASE_MARGIN_MS = 5_000;

/** Sends what is queued in one conversation, oldest first, each under its lease. */
export function createSendTask(options: SendOptions): Task {
  return async (payload) => {
    const { conversationId } = payloadSchema.parse(payload);
    const module = await options.readModule.current();
    const settings: SendSettings = {
      rules: options.rulesOf(module),
      unknownWaitMs: options.unknownWaitMs,
      leaseMs: options.timeoutMs + LEASE_MARGIN_MS,
    };
    for (;;) {
      const turn = await takeTurn(options.db, conversationId, settings);
      if (turn.kind === 'done') return;
      if (turn.kind === 'wait') return transaction(options.db, (tx) => addSendJob(tx, conversationId, turn.until));
      const result = await send(options, module, turn.message);
      await recordResult(options.db, turn.message, result, settings, numbersOf(module));
      if (result.kind === 'later') return;
    }
  };
}

async function send({ meta, log }: SendOptions, module: ChatModule, message: Unsent): Promise<SendResult> {
  const body = bodyOf(message);
  const { accessToken } = module.secrets;
  if (!body)
    return {
      kind: 'refused',
      problem: { code: null, title: 'NO_RECIPIENT', detail: 'The customer has no number and no user id.' },
    };
  if (!accessToken)
    return {
      kind: 'refused',
      problem: { code: null, title: 'NO_ACCESS_TOKEN', detail: 'The access token is missing.' },
    };
  const outcome = await meta.sendMessage(message.phoneNumberId, accessToken, body);
  log.debug({ messageId: message.id, outcome: outcome.kind }, 'a message was handed to WhatsApp');
  return resultOf(outcome);
}

function bodyOf(message: Unsent): MessagePayload | null {
  const recipient = recipientOf(message);
  if (!recipient || message.content.type !== 'text') return null;
  return textPayload({
    recipient,
    opaqueId: message.id,
    quotedId: message.quotedProviderId,
    text: message.content.text,
  });
}

function resultOf(outcome: SendOutcome): SendResult {
  if (outcome.kind === 'accepted') return { kind: 'accepted', providerId: outcome.providerId, waId: outcome.waId };
  if (outcome.kind === 'unknown') return { kind: 'unknown' };
  const { code, title, detail } = outcome.error;
  const problem = { code, title, detail };
  if (outcome.kind !== 'temporary') return { kind: 'refused', problem };
  return { kind: 'later', at: new Date(Date.now() + (outcome.retryAfterMs ?? DEFAULT_RETRY_MS)), problem };
}

export function numbersOf(module: ChatModule): ReadonlyMap<string, string> {
  return new Map(module.numbers.map((number) => [number.phoneNumberId, number.id]));
}
