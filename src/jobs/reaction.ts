import type { Task } from 'graphile-worker';
import { z } from 'zod';
import type { Database } from '../db/database.ts';
import { addReactionJob } from '../db/statements/jobs.ts';
import { findReactionToSend, type ReactionToSend } from '../db/statements/reactions.ts';
import { transaction } from '../db/transaction.ts';
import type { Log } from '../log.ts';
import type { MetaClient } from '../meta/client.ts';
import { reactionPayload, recipientOf } from '../meta/payloads.ts';
import type { SendOutcome } from '../meta/send.ts';
import type { Rules } from '../services/changes.ts';
import type { ChatModule, ReadModule } from '../services/module.ts';
import { undoReaction } from '../services/reactions.ts';
import type { Pacer } from './pacer.ts';
import { canSend } from './send.ts';

export type ReactionOptions = {
  db: Database;
  meta: MetaClient;
  readModule: ReadModule;
  rulesOf: (module: ChatModule) => Rules;
  pacer: Pacer;
  log: Log;
};

const payloadSchema = z.object({ messageId: z.string(), attempts: z.number().int() });
const RETRY_MS = 5_000;
const STOPPED_MS = 10_000;
const MAX_ATTEMPTS = 10;

/** Sends our reaction as it is now. Setting the same one twice does no harm, so a lost answer is simply repeated. */
export function createReactionTask(options: ReactionOptions): Task {
  const { db, pacer, rulesOf, log } = options;
  return async (payload) => {
    const { messageId, attempts } = payloadSchema.parse(payload);
    const again = (at: Date, spent: number) => transaction(db, (tx) => addReactionJob(tx, messageId, at, spent));
    const reaction = await transaction(db, (tx) => findReactionToSend(tx, messageId));
    if (!reaction) return;
    const module = await options.readModule.current();
    const slot = canSend(module) ? await pacer.slot(reaction.businessNumberId) : ({ kind: 'stopped' } as const);
    if (slot.kind === 'stopped') return again(new Date(Date.now() + STOPPED_MS), attempts);
    if (slot.kind === 'paused') return again(slot.until, attempts);
    const outcome = await send(options, module, messageId, reaction);
    if (outcome === null || outcome.kind === 'accepted') return;
    const isLost = outcome.kind === 'permanent' || outcome.kind === 'window-closed' || attempts >= MAX_ATTEMPTS;
    if (!isLost) return again(new Date(Date.now() + RETRY_MS * 2 ** attempts), attempts + 1);
    log.warn({ messageId, outcome: outcome.kind }, 'WhatsApp did not take a reaction');
    await undoReaction(db, messageId, reaction.at, rulesOf(module));
  };
}

async function send(
  { meta }: ReactionOptions,
  { secrets }: ChatModule,
  messageId: string,
  { phoneNumberId, targetProviderId, emoji, waId, userId }: ReactionToSend,
): Promise<SendOutcome | null> {
  const recipient = recipientOf({ waId, userId });
  if (!recipient || !secrets.accessToken) return null;
  // Not our message's id: its statuses must not be taken for those of the message.
  const opaqueId = `reaction:${messageId}`;
  const payload = reactionPayload({ recipient, opaqueId, targetId: targetProviderId, emoji });
  return meta.sendMessage(phoneNumberId, secrets.accessToken, payload);
}
