import { gql, type ClientError } from 'graphql-request';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from './support/server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({ settings: { TRUSTED_PROXIES: '127.0.0.0/8' } });
});

afterAll(() => server[Symbol.asyncDispose]());

const LOG = gql`
  query Log($first: Int, $after: String, $last: Int, $before: String) {
    auditLog(first: $first, after: $after, last: $last, before: $before) {
      totalCount
      pageInfo {
        hasNextPage
        endCursor
      }
      nodes {
        id
        at
        action
        detail
        subjectId
        address
        operator {
          login
        }
      }
    }
  }
`;

type Entry = { id: string; action: string; detail: string; address: string; operator: { login: string } | null };
type Log = {
  auditLog: { totalCount: number; pageInfo: { hasNextPage: boolean; endCursor: string }; nodes: Entry[] } | null;
};

const REPLY = `mutation { replyToConversation(input: { conversationId: "x", text: "x", idempotencyKey: "x" }) { replayed } }`;
const READ = `mutation { markConversationRead(input: { conversationId: "x", upToMessageId: "x" }) { errors { code } } }`;

describe('the audit log', () => {
  it('names who was refused what, and from where', async () => {
    const cyril = await server.as('cyril');

    await cyril.request(REPLY, {}, { 'x-forwarded-for': '198.51.100.9, 203.0.113.7' });

    const { auditLog } = await (await server.as('alena')).request<Log>(LOG, { first: 10 });
    expect(auditLog?.nodes).toMatchObject([
      { action: 'REFUSED', detail: 'replyToConversation', address: '203.0.113.7', operator: { login: 'cyril' } },
    ]);
  });

  it('is not filled by a loop, and pages without a hole', async () => {
    const cyril = await server.as('cyril');
    for (let attempt = 0; attempt < 5; attempt++) await cyril.request(REPLY);
    await cyril.request(READ);
    await server.withToken(server.dashboardToken).request(READ);

    const alena = await server.as('alena');
    const pages: Entry[] = [];
    let after: string | null = null;
    do {
      const { auditLog }: Log = await alena.request<Log>(LOG, { first: 2, after });
      pages.push(...(auditLog?.nodes ?? []));
      after = auditLog?.pageInfo.hasNextPage ? auditLog.pageInfo.endCursor : null;
    } while (after !== null);

    expect(pages.map(({ detail, operator }) => [detail, operator?.login ?? null])).toEqual([
      ['markConversationRead', null],
      ['markConversationRead', 'cyril'],
      ['replyToConversation', 'cyril'],
    ]);
  });

  it('is read by administrators alone, by list and by id', async () => {
    const { auditLog } = await (await server.as('alena')).request<Log>(LOG, { last: 1 });
    const id = auditLog?.nodes[0]?.id;
    const node = `{ node(id: "${id}") { ... on AuditEntry { detail } } }`;

    for (const client of [await server.as('boris'), server.withToken(server.dashboardToken)]) {
      const refused = await client.request(LOG, { first: 1 }).catch((error: ClientError) => error.response);
      expect(refused).toMatchObject({ data: { auditLog: null }, errors: [{ extensions: { code: 'FORBIDDEN' } }] });
      const looked = await client.request(node).catch((error: ClientError) => error.response);
      expect(JSON.stringify(looked)).not.toContain('Conversation');
    }
    expect(await (await server.as('alena')).request(node)).toEqual({ node: { detail: 'replyToConversation' } });
  });
});
