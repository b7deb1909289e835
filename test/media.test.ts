import { createHash } from 'node:crypto';
import { gql } from 'graphql-request';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { nextAttempt } from '../src/services/media.ts';
import { collect, eventually } from './support/events.ts';
import { batchOf, textMessage } from './support/payloads.ts';
import { number1, startTestServer, type TestServer } from './support/server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startTestServer({ settings: { LOG_LEVEL: 'error' } });
});

afterEach(() => server.sandbox.clearFaults());

afterAll(() => server[Symbol.asyncDispose]());

const png = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const pngSha256 = createHash('sha256').update(png).digest('hex');

const MESSAGES = gql`
  query Messages {
    conversations(first: 1) {
      nodes {
        messages(last: 1) {
          nodes {
            id
            preview
            content {
              ... on MediaContent {
                caption
                attachment {
                  state
                  mimeType
                  byteSize
                  sha256
                  url
                }
              }
            }
          }
        }
      }
    }
  }
`;
type Shown = { state: string; mimeType: string; byteSize: number | null; sha256: string | null; url: string | null };
type Listed = {
  conversations: {
    nodes: { messages: { nodes: { id: string; preview: string; content: { attachment: Shown } | null }[] } }[];
  };
};

async function newest() {
  const { conversations } = await (await server.as('cyril')).request<Listed>(MESSAGES);
  const message = conversations.nodes[0]?.messages.nodes[0];
  if (!message) throw new Error('there is no message');
  return message;
}

function attachmentIn(state: string, timeoutMs?: number): Promise<Shown> {
  return eventually(async () => {
    const attachment = (await newest()).content?.attachment;
    return attachment?.state === state && attachment;
  }, timeoutMs);
}

const picture = (content: Uint8Array = png, mimeType = 'image/png') =>
  server.sandbox.customerWrites({
    phoneNumberId: number1.phoneNumberId,
    from: '+420601000001',
    media: { type: 'image', content, mimeType, caption: 'Můj účet' },
  });

/** An announcement of our own, about a file that the sandbox may or may not have. */
const announce = (image: Record<string, unknown>) =>
  server.postWebhook(
    batchOf(number1.phoneNumberId, [{ ...textMessage({ at: new Date() }), type: 'image', text: undefined, image }]),
  );

describe('a file that a customer sends', () => {
  it('shows with its message at once, is fetched, and its arrival is told', async () => {
    const socket = server.socket(await server.tokenOf('cyril'));
    const live = collect<{ events: { __typename: string; messageId?: string } }>(
      socket,
      'subscription { events { __typename ... on MessageUpdated { messageId } } }',
    );
    await live.take(1);

    await picture();
    const message = await newest();
    const attachment = await attachmentIn('AVAILABLE');

    expect(message).toMatchObject({ preview: 'Můj účet', content: { caption: 'Můj účet' } });
    expect(attachment).toMatchObject({ mimeType: 'image/png', byteSize: png.length, sha256: pngSha256 });
    const answer = await fetch(attachment.url ?? '');
    expect(Buffer.from(await answer.arrayBuffer()).equals(png)).toBe(true);
    await eventually(async () =>
      live.all.some(({ events }) => events.__typename === 'MessageUpdated' && events.messageId === message.id),
    );
    await socket.dispose();
  });

  it('is fetched once however its caption is edited, and is gone once another, or only text, takes its place', async () => {
    const from = '420601000077';
    const image = (id: string, caption: string) => ({ type: 'image', image: { id, mime_type: 'image/png', caption } });
    const edit = (minute: number, message: Record<string, unknown>) => ({
      ...textMessage({ from, at: new Date(begin + minute * 1000) }),
      type: 'edit',
      text: undefined,
      edit: { original_message_id: 'wamid.edited-picture', message },
    });
    const begin = Date.now() - 60_000;
    const first = textMessage({ from, id: 'wamid.edited-picture', at: new Date(begin) });
    const filesAfter = async (...elements: Record<string, unknown>[]) => {
      await server.postWebhook(batchOf(number1.phoneNumberId, elements));
      return server.sql<{ id: string; provider_media_id: string }>(
        `SELECT a.id, a.provider_media_id FROM attachment a JOIN message m ON m.id = a.message_id
         WHERE m.provider_id = 'wamid.edited-picture'`,
      );
    };

    const sent = await filesAfter({ ...first, ...image('111', 'Účet'), text: undefined });
    const captioned = await filesAfter(edit(1, image('111', 'Můj účet')));
    const both = await filesAfter(edit(3, image('111', 'Náš účet')), edit(2, image('000', 'nikdy')));
    const other = await filesAfter(edit(4, image('222', 'Jiný')));
    const text = await filesAfter(edit(5, { type: 'text', text: { body: 'Jen text' } }));

    expect(sent).toMatchObject([{ provider_media_id: '111' }]);
    expect([captioned, both]).toEqual([sent, sent]);
    expect(other).toMatchObject([{ provider_media_id: '222' }]);
    expect(text).toEqual([]);
  });

  it('is kept no longer than the message says so', async () => {
    const { wamid } = await picture();
    await attachmentIn('AVAILABLE');
    const element = { ...textMessage({ from: '420601000001' }), type: 'edit', text: undefined };
    const message = { type: 'text', text: { body: 'Jen text' } };

    await server.postWebhook(
      batchOf(number1.phoneNumberId, [{ ...element, edit: { original_message_id: wamid, message } }]),
    );

    expect((await newest()).preview).toBe('Jen text');
    const [file] = await server.sql(
      'SELECT message_id, expires_at <= now() AS expired FROM attachment WHERE storage_key IS NOT NULL ORDER BY id DESC LIMIT 1',
    );
    expect(file).toEqual({ message_id: null, expired: true });
  });

  it('has the type of its bytes, not the one that is announced', async () => {
    await picture(Buffer.from('%PDF-1.7 not a picture'), 'image/png');

    expect(await attachmentIn('AVAILABLE')).toMatchObject({ mimeType: 'application/pdf' });
  });

  it('is fetched again after WhatsApp failed', async () => {
    server.sandbox.fail({ kind: 'server-error', on: 'media', next: 1 });

    await picture();

    expect(await attachmentIn('AVAILABLE', 30_000)).toMatchObject({ sha256: pngSha256 });
    const [row] = await server.sql('SELECT fetch_attempts, error FROM attachment ORDER BY id DESC LIMIT 1');
    expect(row).toEqual({ fetch_attempts: 2, error: null });
  });

  it('that WhatsApp does not know is FAILED, and the message stays', async () => {
    await announce({ id: '404404404', mime_type: 'image/jpeg', sha256: 'x', caption: 'Bez souboru' });

    expect(await attachmentIn('FAILED')).toMatchObject({ byteSize: null, url: null });
    expect((await newest()).preview).toBe('Bez souboru');
  });

  it('that is announced without an id is FAILED at once', async () => {
    await announce({ mime_type: 'image/jpeg', caption: 'Nic' });

    expect((await newest()).content?.attachment.state).toBe('FAILED');
  });

  it('that does not agree with its checksum is not shown, and is tried again a few times', async () => {
    await picture();
    await attachmentIn('AVAILABLE');
    const [good] = await server.sql<{ provider_media_id: string }>(
      'SELECT provider_media_id FROM attachment ORDER BY id DESC LIMIT 1',
    );

    await announce({
      id: good?.provider_media_id,
      mime_type: 'image/png',
      sha256: createHash('sha256').update('another file').digest('base64'),
    });

    const row = await eventually(async () => {
      const [last] = await server.sql<{ state: string; error: string | null; storage_key: string | null }>(
        'SELECT state, error, storage_key FROM attachment ORDER BY id DESC LIMIT 1',
      );
      return last?.error && last;
    });
    expect(row).toEqual({
      state: 'FETCHING',
      error: 'The file does not agree with its checksum.',
      storage_key: null,
    });
    await server.sql(
      `UPDATE attachment SET fetch_attempts = 4, fetch_due_at = now() - interval '1 hour' WHERE state = 'FETCHING'`,
    );
    expect(await attachmentIn('FAILED', 30_000)).toMatchObject({ url: null });
  });

  it('whose id has run out is EXPIRED', async () => {
    server.sandbox.fail({ kind: 'server-error', on: 'media' });
    await picture();
    await eventually(
      async () => (await server.sql(`SELECT FROM attachment WHERE error IS NOT NULL AND state = 'FETCHING'`))[0],
    );

    await server.sql(
      `UPDATE attachment SET provider_media_expires_at = now(), fetch_due_at = now() - interval '1 hour' WHERE state = 'FETCHING'`,
    );

    expect(await attachmentIn('EXPIRED', 30_000)).toMatchObject({ url: null });
  });

  it('whose process died is taken up by another', async () => {
    server.sandbox.fail({ kind: 'server-error', on: 'media', next: 1 });
    await picture();
    await eventually(
      async () => (await server.sql(`SELECT FROM attachment WHERE error IS NOT NULL AND state = 'FETCHING'`))[0],
    );
    await server.sql(`DELETE FROM graphile_worker._private_jobs WHERE key LIKE 'media:%'`);
    await server.sql(`UPDATE attachment SET fetch_due_at = now() - interval '1 hour' WHERE state = 'FETCHING'`);

    expect(await attachmentIn('AVAILABLE', 30_000)).toMatchObject({ sha256: pngSha256 });
  });
});

describe('the next attempt', () => {
  const now = new Date('2026-11-25T12:00:00Z');
  const wanted = {
    attachmentId: 'a',
    mediaId: 'm',
    announcedType: 'image/png',
    announcedSha256: null,
    expiresAt: new Date('2026-11-25T18:00:00Z'),
  };

  it.each([
    [1, null, '2026-11-25T12:00:02.000Z'],
    [3, null, '2026-11-25T12:01:00.000Z'],
    [6, null, '2026-11-25T14:00:00.000Z'],
    [1, 60_000, '2026-11-25T12:01:00.000Z'],
  ])('after %i attempts, asked to wait %s ms, is at %s', (attempts, afterMs, at) => {
    expect(nextAttempt({ ...wanted, attempts }, now, afterMs)?.toISOString()).toBe(at);
  });

  it('is none once the id will have run out', () => {
    expect(nextAttempt({ ...wanted, attempts: 99 }, now, null)).toBeNull();
  });
});
