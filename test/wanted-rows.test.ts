import { getNamedType, isLeafType, isObjectType, type GraphQLField } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { globalId } from '../src/schema/global-id.ts';
import { schema } from '../src/schema/schema.ts';
import { eventually } from './support/events.ts';
import { makeOneOfEach } from './support/one-of-each.ts';
import { startTestServer, type TestServer } from './support/server.ts';
import { fieldText } from './support/walk.ts';

/** The list reads only the columns that a selection needs: each field must say all that it needs, alone and below others. */

let server: TestServer;
let id: string;

beforeAll(async () => {
  server = await startTestServer({ settings: { ROLE: 'api' } });
  const rows = await makeOneOfEach(server);
  id = globalId('Conversation', rows.Conversation ?? '');
  await server.sql(
    `UPDATE conversation SET last_replied_by_id = $2, no_reply_needed_by_id = $2, no_reply_needed_at = now(),
       read_up_to_id = $3, last_incoming_message_id = $3, last_outgoing_message_id = $3, last_message_status = 'READ',
       beacon_trigger_id = $3, request_count = 1 WHERE id = $1`,
    [rows.Conversation, rows.Operator, rows.Message],
  );
  await server.sql(`UPDATE business_number SET quality_rating = 'GREEN'`);
  // Numbers are remembered for a moment, and from the first request on the operator is online.
  const alena = await server.as('alena');
  const rated = () =>
    alena.request<Rated>('{ conversations(first: 1) { nodes { businessNumber { qualityRating } } } }');
  await eventually(async () => (await rated()).conversations.nodes[0]?.businessNumber.qualityRating === 'GREEN');
  await eventually(async () => (await server.sql('SELECT FROM operator WHERE last_seen_at IS NOT NULL')).length > 0);
});

afterAll(() => server[Symbol.asyncDispose]());

type Rated = { conversations: { nodes: { businessNumber: { qualityRating: string | null } }[] } };
type Field = GraphQLField<unknown, unknown>;

/** What passes between two questions is no difference. */
const MOVES = new Set(['serverTime', 'asOf', 'lastSeenAt']);
/** Null in these rows, whatever is read. */
const NULL_HERE = new Set(['deactivatedAt', 'company', 'contact']);

/** Loaded as a whole by statements of their own. */
const WHOLE = new Set(['Message', 'MessageConnection', 'RequestConnection', 'ConversationPresence']);

/** Each field of a conversation alone, and each field of what it shows of others alone. */
function selections(): [string, string][] {
  return fieldsOf('Conversation').flatMap((field) => {
    const below = getNamedType(field.type);
    if (isLeafType(below)) return [[field.name, field.name] as [string, string]];
    if (WHOLE.has(below.name)) return [[field.name, fieldText(schema, field, 1)] as [string, string]];
    return fieldsOf(below.name).map((part) => [
      `${field.name}.${part.name}`,
      `${field.name} { ${fieldText(schema, part, 1)} }`,
    ]);
  });
}

function fieldsOf(type: string): Field[] {
  const found = schema.getType(type);
  const fields = isObjectType(found) ? Object.values(found.getFields()) : [];
  return fields.filter(({ name }) => !MOVES.has(name));
}

const steady = (answer: unknown): unknown =>
  JSON.parse(
    JSON.stringify(answer, (name, value: unknown) => (MOVES.has(name.split('_').at(-1) ?? '') ? null : value)),
  );

describe('a conversation in the list says the same as alone:', () => {
  it.each(selections())('%s', async (name, text) => {
    const client = await server.as('alena');

    const alone = await client.request<{ conversation: object }>(
      `query($id: ID!) { conversation(id: $id) { ${text} } }`,
      { id },
    );
    const listed = await client.request<{ conversations: { nodes: object[] } }>(
      `{ conversations(first: 1) { nodes { ${text} } } }`,
    );

    expect(steady(listed.conversations.nodes[0])).toEqual(steady(alone.conversation));
    const parts = name.split('.');
    const value = parts.reduce<unknown>((row, part) => (row as Record<string, unknown>)[part], alone.conversation);
    expect(value === null).toBe(parts.some((part) => NULL_HERE.has(part)));
  });
});

describe('the list', () => {
  it('reads of its rows what all parts of a selection want together, in nodes and in edges', async () => {
    const client = await server.as('alena');

    const { conversations } = await client.request<{ conversations: object }>(
      `{ conversations(first: 1) {
        nodes { participant { profileName } ...Number }
        edges { node { who: participant { phoneNumber } ... on Conversation { unreadCount } } }
      } }
      fragment Number on Conversation { number participant { displayName } }`,
    );

    expect(conversations).toEqual({
      nodes: [{ participant: { profileName: 'contact-mark', displayName: 'contact-mark' }, number: 1 }],
      edges: [{ node: { who: { phoneNumber: '+420601123456' }, unreadCount: 1 } }],
    });
  });
});
