import type { Task } from 'graphile-worker';
import { z } from 'zod';
import type { Database } from '../db/database.ts';
import { addSendJob } from '../db/statements/jobs.ts';
import { pauseSending } from '../db/statements/send-budget.ts';
import type { Unsent } from '../db/statements/send-queue.ts';
import { transaction } from '../db/transaction.ts';
import type { Log } from '../log.ts';
import type { MetaClient } from '../meta/client.ts';
import type { Usage } from '../meta/usage.ts';
import type { Rules } from '../services/changes.ts';
import type { ChatModule, ReadModule } from '../services/module.ts';
import type { Tracing } from '../tracing/tracing.ts';
import { recordResult, takeTurn, type SendResult, type SendSettings, type Turn } from '../services/sending.ts';
import type { Pacer } from './pacer.ts';
import { bodyOf } from './send-body.ts';
import { resultOf } from './send-result.ts';

export type SendOptions = {
  db: Database;
  meta: MetaClient;
  readModule: ReadModule;
  rulesOf: (module: ChatModule) => Rules;
  pacer: Pacer;
  unknownWaitMs: number;
  timeoutMs: number;
  tracing: Tracing;
  log: Log;
};

const payloadSchema = z.object({ conversationId: z.string(), businessNumberId: z.string() });
const LEASE_MARGIN_MS = 5_000;
/** Then the others have their turn. */
const MAX_PER_JOB = 10;
const MINUTE_MS = 60_000;
/** Of what Meta allows; from here on calls are about to be refused. */
const FULL_PERCENT = 100;

/** Sends what is queued in one conversation, oldest first, each under its lease and within the number's limits. */
export function createSendTask(options: SendOptions): Task {
  const { db, pacer } = options;
  return async (payload) => {
    const { conversationId, businessNumberId } = payloadSchema.parse(payload);
    for (let sent = 0; sent < MAX_PER_JOB; sent++) {
      const module = await options.readModule.current();
      if (!canSend(module)) return;
      const slot = await pacer.slot(businessNumberId);
      // Whoever settles the trouble does not have to know what waits: the upkeep finds it.
      if (slot.kind === 'stopped') return;
      if (slot.kind === 'paused') return lookAgain(db, conversationId, slot.until);
      const settings = settingsOf(options, module);
      const turn = await takeTurn(db, conversationId, settings);
      if (turn.kind !== 'send') await pacer.giveBack(businessNumberId);
      if (turn.kind === 'done') return;
      if (turn.kind === 'wait') return lookAgain(db, conversationId, turn.until);
      const goesOn = await inItsTrace(options.tracing, turn.message, async () => {
        const result = await send(options, module, turn);
        return recordResult(db, turn.message, result, settings, numbersOf(module));
      });
      if (!goesOn) return;
    }
    await lookAgain(db, conversationId, new Date());
  };
}

/** One job sends what several wrote: each goes on in the trace of its own writing. */
function inItsTrace<T>(tracing: Tracing, { id, traceParent, attempts }: Unsent, work: () => Promise<T>): Promise<T> {
  const job = tracing.present();
  const attributes = { 'cdesk.message.id': id, 'cdesk.attempt': attempts };
  const origin = traceParent ? { after: traceParent, links: job ? [job] : [] } : {};
  return tracing.span({ name: 'send message', kind: 'producer', attributes, ...origin }, work);
}

/** While the module is off or has no token, what is queued waits; the upkeep takes it up again. */
export function canSend({ licensed, settings, secrets }: ChatModule): boolean {
  return licensed && settings.enabled && secrets.accessToken !== null;
}

async function lookAgain(db: Database, conversationId: string, at: Date): Promise<void> {
  await transaction(db, async (tx) => addSendJob(tx, conversationId, at));
}

function settingsOf({ rulesOf, unknownWaitMs, timeoutMs }: SendOptions, module: ChatModule): SendSettings {
  return { rules: rulesOf(module), unknownWaitMs, leaseMs: timeoutMs + LEASE_MARGIN_MS };
}

async function send(
  { db, meta, log }: SendOptions,
  module: ChatModule,
  { message, files }: Extract<Turn, { kind: 'send' }>,
): Promise<SendResult> {
  const body = bodyOf(message, files);
  const { accessToken } = module.secrets;
  if (!body) return refused('NO_RECIPIENT', 'The customer has no number and no user id, or the file is gone.');
  if (!accessToken) return refused('NO_ACCESS_TOKEN', 'The access token is missing.');
  const outcome = await meta.sendMessage(message.phoneNumberId, accessToken, body);
  log.debug({ messageId: message.id, outcome: outcome.kind }, 'a message was handed to WhatsApp');
  await honourUsage(db, outcome.usage);
  return resultOf(outcome, message, new Date());
}

/** Meta tells beforehand when its limit of calls is used up, and for how long. */
async function honourUsage(db: Database, usage: Usage | null): Promise<void> {
  if (!usage || (usage.percent < FULL_PERCENT && usage.minutesToRegain === 0)) return;
  const until = new Date(Date.now() + Math.max(1, usage.minutesToRegain) * MINUTE_MS);
  await transaction(db, (tx) => pauseSending(tx, 'account', until, 'the limit of calls is used up'));
}

function refused(title: string, detail: string): SendResult {
  return { kind: 'refused', problem: { code: null, title, detail } };
}

export function numbersOf(module: ChatModule): ReadonlyMap<string, string> {
  return new Map(module.numbers.map((number) => [number.phoneNumberId, number.id]));
}
