import pg from 'pg';
import { foldLine } from '../src/services/search-text.ts';

/** What a benchmark database holds. */
export type Size = { conversations: number; messagesEach: number };

const CHUNK = 20_000;
const OPERATORS = 200;
const firstNames = [
  'Jan',
  'Jana',
  'Petr',
  'Žofie',
  'Ivan',
  'Łucja',
  'Иван',
  'Günter',
  'Šárka',
  'Tomáš',
  'Eva',
  'Ľubica',
];
const lastNames = [
  'Novák',
  'Svoboda',
  'Dvořáková',
  'Müller',
  'Kováč',
  'Šťastný',
  'Петров',
  'Horváth',
  'Malý',
  'Veselá',
];
const openings = ['Dobrý den', 'Prosím', 'Hello', 'Grüß Gott', 'Здравствуйте', 'Ahoj', 'Děkuji', 'Mám dotaz'];
const matters = [
  'kde je moje zásilka',
  'faktura za listopad',
  'reklamace boty',
  'změna adresy',
  'kdy přijedete',
  'cena',
];

const id = (kind: string, n: string) => `('${kind}0000000-0000-7000-8000-' || lpad(to_hex(${n}), 12, '0'))::uuid`;
const pick = (list: string, n: string) => `(${list})[1 + (${n}) % array_length(${list}, 1)]`;

/** Fills an empty, migrated database: rows by generate_series, the search indexes built once at the end. */
export async function seed(url: string, size: Size, progress: (done: number) => void): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`SET synchronous_commit = off`);
    await withoutIndexes(client, () => fill(client, size, progress));
    await client.query('VACUUM (ANALYZE) conversation, message, participant, operator');
  } finally {
    await client.end();
  }
}

async function fill(client: pg.Client, size: Size, progress: (done: number) => void): Promise<void> {
  await seedOperators(client);
  for (let from = 1; from <= size.conversations; from += CHUNK) {
    const to = Math.min(from + CHUNK - 1, size.conversations);
    await seedChunk(client, from, to, size);
    progress(to);
  }
  await client.query(`SELECT setval(pg_get_serial_sequence('conversation', 'number'), $1)`, [size.conversations]);
}

/** Those that are not unique only slow the filling down. */
async function withoutIndexes(client: pg.Client, work: () => Promise<void>): Promise<void> {
  const { rows } = await client.query<{ name: string; definition: string }>(
    `SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition FROM pg_index i
     WHERE i.indrelid IN ('conversation'::regclass, 'message'::regclass, 'participant'::regclass) AND NOT i.indisunique`,
  );
  for (const { name } of rows) await client.query(`DROP INDEX ${name}`);
  try {
    await work();
  } finally {
    for (const { definition } of rows) await client.query(definition);
  }
}

async function seedOperators(client: pg.Client): Promise<void> {
  await client.query(
    `INSERT INTO operator (id, subject, login, display_name, permissions)
     SELECT ${id('d', 'n')}, 'bench:' || n, 'operator' || n, 'Operator ' || n, '{READ_CONVERSATIONS,REPLY}' FROM generate_series(1, $1) n
     ON CONFLICT DO NOTHING`,
    [OPERATORS],
  );
}

async function seedChunk(client: pg.Client, from: number, to: number, { messagesEach }: Size): Promise<void> {
  const texts = [firstNames, lastNames, openings, matters];
  const values = [from, to, ...texts, ...texts.map((list) => list.map(foldLine))];
  const words = (shift: number) => ({
    name: `${pick(`$${3 + shift}::text[]`, 'n * 7')} || ' ' || ${pick(`$${4 + shift}::text[]`, 'n * 13 / 3')}`,
    // Every tenth text is of one customer alone, and one in 20,000 has a word that is nowhere else.
    text: `${pick(`$${5 + shift}::text[]`, 'n + s')} || ', ' || ${pick(`$${6 + shift}::text[]`, 'n * 3 + s')} || ' ' ||
      CASE WHEN (n + s) % 10 = 0 THEN 'z' || n ELSE '' END || CASE WHEN n % 20000 = 0 THEN ' ojedinely' ELSE '' END`,
  });
  const [shown, folded] = [words(0), words(4)];
  const phone = `'4206' || lpad(n::text, 8, '0')`;
  const lastAt = `now() - (n * interval '2 seconds')`;
  const used = `WITH used AS (SELECT $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[])`;
  await client.query(
    `${used} INSERT INTO participant (id, wa_id, comparison_key, phone_number, profile_name, search_text)
     SELECT ${id('a', 'n')}, ${phone}, ${phone}, '+' || ${phone}, ${shown.name}, ${folded.name} || E'\\n' || ${phone} FROM generate_series($1::int, $2::int) n`,
    values,
  );
  await client.query(
    `${used} INSERT INTO conversation (id, number, business_number_id, participant_id, created_at, last_sequence,
       last_message_at, last_message_id, last_message_preview, last_message_search, last_message_direction,
       last_message_status, last_incoming_message_id, last_incoming_at, last_replied_by_id, unread_count, beacon_on,
       beacon_since, beacon_trigger_id, beacon_changed_at, window_opened_at, window_expires_at, window_announced,
       participant_search)
     SELECT ${id('b', 'n')}, n, numbers.ids[1 + n % 2], ${id('a', 'n')}, ${lastAt} - interval '30 days', m, ${lastAt},
       ${id('c', 'n::bigint * 16 + m')}, ${shown.text}, ${folded.text},
       CASE WHEN is_waiting THEN 'INCOMING' ELSE 'OUTGOING' END::"MessageDirection",
       CASE WHEN is_waiting THEN NULL ELSE 'READ' END::"MessageStatus", ${id('c', 'n::bigint * 16 + 1')}, ${lastAt},
       operators.ids[1 + n % array_length(operators.ids, 1)], CASE WHEN is_waiting THEN 1 ELSE 0 END, is_waiting,
       CASE WHEN is_waiting THEN ${lastAt} END, CASE WHEN is_waiting THEN ${id('c', 'n::bigint * 16 + m')} END, ${lastAt},
       ${lastAt}, ${lastAt} + interval '24 hours', 'CLOSED', ${folded.name} || E'\\n' || ${phone}
     FROM generate_series($1::int, $2::int) n, LATERAL (SELECT n % 60 = 0 AS is_waiting, ${messagesEach} AS m, ${messagesEach} AS s) w,
       (SELECT array_agg(id ORDER BY slot) AS ids FROM business_number WHERE slot IS NOT NULL) numbers,
       (SELECT array_agg(id ORDER BY number) AS ids FROM operator WHERE subject LIKE 'bench:%') operators`,
    values,
  );
  await client.query(
    `${used} INSERT INTO message (id, conversation_id, sequence, direction, origin, kind, content, preview, search_text,
       sent_at, sent_second, received_at, status, accepted_at, sent_by_id)
     SELECT ${id('c', 'n::bigint * 16 + s')}, ${id('b', 'n')}, s, direction, origin, 'TEXT',
       json_build_object('type', 'text', 'text', ${shown.text}), ${shown.text}, ${folded.text}, at, date_trunc('second', at),
       at, CASE WHEN direction = 'OUTGOING' THEN 'READ' END::"MessageStatus", CASE WHEN direction = 'OUTGOING' THEN at END,
       CASE WHEN direction = 'OUTGOING' THEN operators.ids[1 + n % array_length(operators.ids, 1)] END
     FROM generate_series($1::int, $2::int) n, generate_series(1, ${messagesEach}) s,
       LATERAL (SELECT ${lastAt} - ((${messagesEach} - s) * interval '1 hour') AS at,
         (CASE WHEN s % 2 = 0 AND NOT (n % 60 = 0 AND s = ${messagesEach}) THEN 'OUTGOING' ELSE 'INCOMING' END)::"MessageDirection" AS direction,
         (CASE WHEN s % 2 = 0 AND NOT (n % 60 = 0 AND s = ${messagesEach}) THEN 'OPERATOR' ELSE 'CUSTOMER' END)::"MessageOrigin" AS origin) d,
       (SELECT array_agg(id ORDER BY number) AS ids FROM operator WHERE subject LIKE 'bench:%') operators`,
    values,
  );
}
