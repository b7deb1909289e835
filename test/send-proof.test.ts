import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import pg from 'pg';
import { expect, it } from 'vitest';
import { SANDBOX_ACCESS_TOKEN, SANDBOX_ACCOUNT_ID, subjectOf } from '../src/demo-data.ts';
import { loadEnv } from '../src/env.ts';
import type { LedgerEntry } from '../src/sandbox/ledger.ts';
import type { Sandbox } from '../src/sandbox/options.ts';
import { startSandbox } from '../src/sandbox/server.ts';
import { signIn } from '../src/sign-in.ts';
import { createTestDatabase } from './support/database.ts';
import { sharedSettings, startServerProcess, type ServerProcess } from './support/process.ts';
import { APP_SECRET, number1 } from './support/server.ts';

/** Full size: npm run proof:send */
const CONVERSATIONS = Number(process.env.PROOF_CONVERSATIONS ?? 30);
const REPLIES = Number(process.env.PROOF_REPLIES ?? 4);
const PER_SECOND = 80;
/** The full size lasts long enough for a rate; every refused try takes its place in it, too. */
const LEAST_PER_SECOND = CONVERSATIONS > 100 ? PER_SECOND * 0.8 : 0;
/** The quick ones of the temporary errors: the full size also has the one that waits 5, then 30 seconds. */
const TEMPORARY = CONVERSATIONS > 100 ? [131056, 131000] : [131056];
const DEADLINE_MS = 60_000 + (CONVERSATIONS * REPLIES * 1_000) / 10;
const CONCURRENT_MUTATIONS = 24;

type Row = {
  id: string;
  conversation_id: string;
  sequence: number;
  client_key: string;
  provider_id: string | null;
  status: string;
  send_state: string;
  outcome_unknown: boolean;
};

it(
  `${CONVERSATIONS * REPLIES} replies through faults and a kill: what Meta got and what we know agree, message by message`,
  { timeout: DEADLINE_MS + 60_000 },
  async () => {
    await using undo = new AsyncDisposableStack();
    const database = undo.use(await createTestDatabase());
    let webhookUrl = '';
    const sandbox = undo.use(await startFaultySandbox(() => webhookUrl));
    const settings = {
      DATABASE_URL: database.url,
      SANDBOX: 'off',
      META_API_URL: sandbox.url,
      META_TIMEOUT_MS: '1500',
      META_MESSAGES_PER_SECOND: String(PER_SECOND),
      UNKNOWN_OUTCOME_WAIT_SECONDS: '2',
      LOG_LEVEL: 'warn',
      RATE_LIMIT_PER_MINUTE: '0',
      ADDRESS_RATE_LIMIT_PER_MINUTE: '0',
      WEBHOOK_RATE_LIMIT_PER_SECOND: '0',
    };
    const survivor = undo.use(await startServerProcess({ ...settings, LOG_LEVEL: 'info' }));
    const victim = undo.use(await startServerProcess({ ...settings, LOG_LEVEL: 'info' }));
    webhookUrl = `${survivor.url}/webhooks/whatsapp`;
    const pool = new pg.Pool({ connectionString: database.url, max: 2 });
    undo.defer(() => pool.end());
    const conversationIds = await letCustomersWrite(sandbox, pool);

    const replying = replyToAll(conversationIds, [survivor, victim]);
    await killInTheMiddle(victim, sandbox);
    await replying;
    await settle(sandbox, pool);

    const rows = await outgoing(pool);
    const ledger = sandbox.ledger({ kind: 'message' });
    expect(problemsOf(rows, ledger)).toEqual([]);
    expect(rows).toHaveLength(CONVERSATIONS * REPLIES);
    expect(busiestSecond(ledger)).toBeLessThanOrEqual(PER_SECOND * 1.1);
    expect(ratePerSecond(ledger)).toBeGreaterThan(LEAST_PER_SECOND);
    process.stdout.write(`${summary(rows, ledger)}\n`);
  },
);

async function startFaultySandbox(webhookUrl: () => string): Promise<Sandbox> {
  const sandbox = await startSandbox({
    webhookUrl,
    appSecret: APP_SECRET,
    accessToken: SANDBOX_ACCESS_TOKEN,
    businessAccountId: SANDBOX_ACCOUNT_ID,
    phoneNumbers: [{ id: number1.phoneNumberId, displayPhoneNumber: number1.phoneNumber, verifiedName: 'Proof' }],
    delays: { sentMs: 50, deliveredMs: 150, readMs: 400 },
    retry: { maxRetries: 10, firstPauseMs: 100 },
    log: pino({ level: 'silent' }),
    seed: 5,
  });
  sandbox.fail({ kind: 'hang', probability: 0.05 });
  for (const code of TEMPORARY) sandbox.fail({ kind: 'error', code, probability: 0.05 / TEMPORARY.length });
  sandbox.fail({ kind: 'error', code: 131026, probability: 0.01 });
  sandbox.fail({ kind: 'status-first', probability: 0.05 });
  sandbox.fail({ kind: 'late-statuses', ms: 3_000, probability: 0.05 });
  sandbox.fail({ kind: 'duplicate-statuses', probability: 0.05 });
  sandbox.fail({ kind: 'reverse-statuses', probability: 0.05 });
  // With a hang they leave messages of which nobody will ever know.
  sandbox.fail({ kind: 'drop-statuses', probability: 0.05 });
  return sandbox;
}

async function letCustomersWrite(sandbox: Sandbox, pool: pg.Pool): Promise<string[]> {
  const customers = Array.from({ length: CONVERSATIONS }, (_, index) => `+42060${String(1_000_000 + index)}`);
  for (let at = 0; at < customers.length; at += 20)
    await Promise.all(
      customers
        .slice(at, at + 20)
        .map((from) => sandbox.customerWrites({ phoneNumberId: number1.phoneNumberId, from, text: 'Dobrý den' })),
    );
  const { rows } = await pool.query<{ id: string }>('SELECT id FROM conversation');
  expect(rows).toHaveLength(CONVERSATIONS);
  return rows.map(({ id }) => id);
}

/** As many clicks per second as Meta takes. Every one names its own key; one that found nobody is repeated under the same one, as a client does. */
async function replyToAll(
  conversationIds: string[],
  [survivor, victim]: [ServerProcess, ServerProcess],
): Promise<void> {
  const env = loadEnv({ ...sharedSettings, DATA_DIR: '.cache' });
  const token = await signIn(env, { subject: subjectOf('boris'), login: 'boris' });
  const clicks = Array.from({ length: REPLIES }, (_, turn) => conversationIds.map((id) => ({ id, turn }))).flat();
  const work = clicks.values();
  const began = Date.now();
  let clicked = 0;
  const clicker = async (number: number) => {
    for (const { id, turn } of work) {
      const key = `${id}:${turn}`;
      const due = began + (clicked++ / PER_SECOND) * 1_000;
      await pause(Math.max(0, due - Date.now()));
      const first = number % 2 === 0 ? survivor : victim;
      if (!(await click(first.url, token, id, key)))
        while (!(await click(survivor.url, token, id, key))) await pause(50);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT_MUTATIONS }, (_, number) => clicker(number)));
}

const REPLY = `mutation Reply($input: ReplyToConversationInput!) { replyToConversation(input: $input) { errors { code message } } }`;

async function click(url: string, token: string, id: string, key: string): Promise<boolean> {
  const conversationId = Buffer.from(`Conversation:${id}`).toString('base64');
  const input = { conversationId, text: `Odpověď ${key}`, idempotencyKey: key };
  try {
    const answer = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query: REPLY, variables: { input } }),
    });
    const { data } = (await answer.json()) as { data?: { replyToConversation: { errors: unknown[] } } };
    return data?.replyToConversation.errors.length === 0;
  } catch {
    return false;
  }
}

async function killInTheMiddle(victim: ServerProcess, sandbox: Sandbox): Promise<void> {
  const third = (CONVERSATIONS * REPLIES) / 3;
  const deadline = Date.now() + DEADLINE_MS;
  while (sandbox.ledger({ kind: 'message' }).length < third && Date.now() < deadline) await pause(20);
  victim.process.kill('SIGKILL');
  await victim.ended;
}

/** Until nothing waits any more and every planned status has been told. */
async function settle(sandbox: Sandbox, pool: pg.Pool): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const { rows } = await pool.query<{ waiting: number }>(
      `SELECT count(*)::integer AS waiting FROM message WHERE send_state IN ('QUEUED', 'SENDING')`,
    );
    if (rows[0]?.waiting === 0) break;
    if (Date.now() > deadline) throw new Error(`${rows[0]?.waiting} messages still wait`);
    await pause(200);
  }
  await sandbox.settled();
}

async function outgoing(pool: pg.Pool): Promise<Row[]> {
  const { rows } = await pool.query<Row>(
    `SELECT id, conversation_id, sequence, client_key, provider_id, status, send_state, outcome_unknown
     FROM message WHERE direction = 'OUTGOING' ORDER BY conversation_id, sequence`,
  );
  return rows;
}

/** Everything in which the two books differ. */
function problemsOf(rows: Row[], ledger: LedgerEntry[]): string[] {
  const sent = Map.groupBy(ledger, ({ opaqueData }) => opaqueData);
  const known = new Set(rows.map(({ id }) => id));
  const foreign = ledger.filter(({ opaqueData }) => !known.has(opaqueData ?? '')).map(() => 'sent what nobody wrote');
  const keys = new Set(rows.map(({ client_key }) => client_key));
  const doubled = keys.size < rows.length ? ['one click became two messages'] : [];
  const differing = rows.flatMap((row) => differenceOf(row, sent.get(row.id) ?? []));
  return [...foreign, ...doubled, ...differing, ...outOfOrder(rows, ledger)];
}

function differenceOf(row: Row, entries: LedgerEntry[]): string[] {
  const [entry] = entries;
  if (entries.length > 1) return [`${row.client_key} was sent ${entries.length} times`];
  if (row.status === 'FAILED') return entry ? [`${row.client_key} failed and was sent`] : [];
  if (row.outcome_unknown) return row.send_state === 'UNKNOWN' ? [] : [`${row.client_key} is unknown and not marked`];
  if (!entry) return [`${row.client_key} is ${row.status} and was never sent`];
  if (entry.providerId !== row.provider_id) return [`${row.client_key} is known to Meta by another id`];
  const expected = entry.statuses.includes('read') ? 'READ' : 'PENDING';
  return row.status === expected ? [] : [`${row.client_key} is ${row.status} and Meta told ${entry.statuses.join()}`];
}

function outOfOrder(rows: Row[], ledger: LedgerEntry[]): string[] {
  const sequences = new Map(rows.map((row) => [row.id, row]));
  const last = new Map<string, number>();
  return ledger.flatMap(({ opaqueData }) => {
    const row = sequences.get(opaqueData ?? '');
    if (!row) return [];
    const before = last.get(row.conversation_id) ?? 0;
    last.set(row.conversation_id, row.sequence);
    return row.sequence > before ? [] : [`${row.client_key} was overtaken`];
  });
}

function busiestSecond(ledger: LedgerEntry[]): number {
  const seconds = Map.groupBy(ledger, ({ receivedAt }) => Math.floor(receivedAt.getTime() / 1_000));
  return Math.max(...seconds.values().map((entries) => entries.length));
}

/** While replies were clicked: what was put off by an error or a lost answer comes after them. */
function ratePerSecond(ledger: LedgerEntry[]): number {
  const times = ledger.map(({ receivedAt }) => receivedAt.getTime()).toSorted((a, b) => a - b);
  const most = Math.floor(times.length * 0.9);
  return most / (((times[most] ?? 0) - (times[0] ?? 0)) / 1_000);
}

function summary(rows: Row[], ledger: LedgerEntry[]): string {
  const fates = Map.groupBy(rows, ({ status, outcome_unknown }) => (outcome_unknown ? 'unknown' : status));
  const counts = [...fates].map(([fate, some]) => `${fate} ${some.length}`).join(', ');
  const rate = ratePerSecond(ledger).toFixed(1);
  return `${rows.length} replies: ${counts}; ${ledger.length} sent, 90 % of them at ${rate} per second, at most ${busiestSecond(ledger)} in one`;
}
