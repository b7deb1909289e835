import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase } from './support/database.ts';
import { eventually } from './support/events.ts';
import { patience } from './support/patience.ts';
import { beginConversation, reached, rowOf, send } from './support/sends.ts';
import { number2, startTestServer, type TestServer } from './support/server.ts';

const PER_SECOND = 10;
const settings = { META_MESSAGES_PER_SECOND: String(PER_SECOND) };

let first: TestServer;
let second: TestServer;

beforeAll(async () => {
  first = await startTestServer({ settings });
  second = await startTestServer({ settings, databaseUrl: first.databaseUrl });
});
afterAll(async () => {
  await second[Symbol.asyncDispose]();
  await first[Symbol.asyncDispose]();
});

describe('two processes that share a number', () => {
  it('stay under its messages per second together, and leave the other number alone', async () => {
    const begun = await Promise.all(Array.from({ length: 12 }, () => beginConversation(first)));
    const other = await beginConversation(first, { phoneNumberId: number2.phoneNumberId });
    const clients = [await first.as('boris'), await second.as('boris')] as const;

    const replies = begun.flatMap(({ conversationId }) => [0, 1, 2].map((turn) => ({ conversationId, turn })));
    await Promise.all(
      replies.map(({ conversationId, turn }, index) =>
        send(clients[index % 2 === 0 ? 0 : 1], 'replyToConversation', {
          conversationId,
          text: `${turn}`,
          idempotencyKey: `${conversationId} ${turn}`,
        }),
      ),
    );
    const quick = await send(clients[0], 'replyToConversation', { conversationId: other.conversationId, text: 'hned' });
    await reached(clients[0], quick.message?.id ?? '', 'SENT', 'DELIVERED', 'READ');
    const sentBefore = times().length;
    await eventually(async () => times().length === replies.length, 20_000);

    expect(sentBefore).toBeLessThan(replies.length);
    // A busy machine may hand over two seconds' worth across the border of one.
    expect(busiestSecond(times())).toBeLessThanOrEqual(PER_SECOND + 3);
    const [earliest, latest] = [Math.min(...times()), Math.max(...times())];
    expect(latest - earliest).toBeGreaterThan(((replies.length - PER_SECOND) / PER_SECOND) * 1_000);
  });
});

describe('a flood of replies from one number', () => {
  it('holds up neither the replies of the other number nor reactions', async () => {
    await using server = await startTestServer({ settings: { META_MESSAGES_PER_SECOND: '4' } });
    const begun = await Promise.all(Array.from({ length: 60 }, () => beginConversation(server)));
    const other = await beginConversation(server, { phoneNumberId: number2.phoneNumberId });
    const boris = await server.as('boris');
    const sentTo = (from: string) => server.sandbox.ledger({ to: from });

    await Promise.all(
      begun.map(({ conversationId }) => send(boris, 'replyToConversation', { conversationId, text: 'Všem' })),
    );
    await send(boris, 'replyToConversation', { conversationId: other.conversationId, text: 'Jednomu' });
    await boris.request(
      'mutation React($id: ID!) { setReaction(input: { messageId: $id, emoji: "👍" }) { errors { message } } }',
      { id: other.messageId },
    );
    await eventually(async () => sentTo(other.from).length === 2, 10_000);

    const sentOfFlood = begun.filter(({ from }) => sentTo(from).length > 0).length;
    expect(sentOfFlood).toBeLessThan(begun.length / 2);
  });
});

describe('a process that ends', () => {
  it('leaves what waits for its turn to the next one, and is gone at once', async () => {
    await using database = await createTestDatabase();
    const slow = await startTestServer({ settings: { META_MESSAGES_PER_SECOND: '2' }, databaseUrl: database.url });
    const begun = await Promise.all(Array.from({ length: 20 }, () => beginConversation(slow)));
    const boris = await slow.as('boris');
    await Promise.all(
      begun.map(({ conversationId }) => send(boris, 'replyToConversation', { conversationId, text: 'Poslední' })),
    );
    await eventually(async () => slow.sandbox.ledger().length > 0, 10_000);

    const endsAt = Date.now();
    await slow[Symbol.asyncDispose]();
    const tookMs = Date.now() - endsAt;
    await using next = await startTestServer({ databaseUrl: database.url });
    const sent = () => [slow, next].flatMap(({ sandbox }) => sandbox.ledger().map(({ to }) => to));
    await eventually(async () => sent().length >= begun.length, 20_000);

    // To send what waited at two per second would take eight. What nobody had begun is free for others, too.
    expect(tookMs).toBeLessThan(patience(4_000));
    expect(sent().toSorted()).toEqual(begun.map(({ from }) => from.slice(1)).toSorted());
  });
});

describe('a reply that waits', () => {
  it('stays queued while the module is off, and goes out when it is on again', async () => {
    const begun = await beginConversation(first);
    const id = rowOf(begun.conversationId);
    const [alena, boris] = [await first.as('alena'), await first.as('boris')];
    await first.sql(`UPDATE conversation SET send_paused_until = now() + interval '1 hour' WHERE id = $1`, [id]);
    const { message } = await send(boris, 'replyToConversation', { conversationId: begun.conversationId, text: 'Pak' });
    const turn = (enabled: boolean) =>
      alena.request(`mutation { setChatModuleEnabled(input: { enabled: ${enabled} }) { errors { message } } }`);
    await turn(false);
    await eventually(() => isOff(second), 10_000);
    await first.sql(`UPDATE conversation SET send_paused_until = NULL WHERE id = $1`, [id]);
    await first.sql(
      `SELECT graphile_worker.add_job('send', json_build_object('conversationId', id, 'businessNumberId', business_number_id),
         job_key => 'send:' || id) FROM conversation WHERE id = $1`,
      [id],
    );
    await eventually(async () => {
      const jobs = await first.sql(`SELECT 1 FROM graphile_worker.jobs WHERE key = 'send:' || $1`, [id]);
      return jobs.length === 0;
    }, 10_000);
    const whileOff = sentTo(begun.from);
    await turn(true);

    await reached(boris, message?.id ?? '', 'SENT', 'DELIVERED', 'READ');
    expect([whileOff, sentTo(begun.from)]).toEqual([0, 1]);
  });

  it('fails with WINDOW_CLOSED when the window closes meanwhile, and is not sent', async () => {
    const begun = await beginConversation(first);
    const id = rowOf(begun.conversationId);
    const boris = await first.as('boris');
    await first.sql(`UPDATE conversation SET send_paused_until = now() + interval '1 hour' WHERE id = $1`, [id]);
    const { message } = await send(boris, 'replyToConversation', {
      conversationId: begun.conversationId,
      text: 'Pozdě',
    });

    await first.sql('UPDATE conversation SET window_expires_at = now() WHERE id = $1', [id]);

    expect(await reached(boris, message?.id ?? '', 'FAILED')).toMatchObject({
      failure: { title: 'WINDOW_CLOSED', code: null },
    });
    const [row] = await first.sql('SELECT beacon_on, beacon_reason FROM conversation WHERE id = $1', [id]);
    expect(row).toEqual({ beacon_on: true, beacon_reason: 'REPLY_FAILED' });
    expect(first.sandbox.ledger({ to: begun.from })).toEqual([]);
  });
});

/** Each process notices for itself. */
async function isOff(server: TestServer): Promise<boolean> {
  const alena = await server.as('alena');
  const { chatModule } = await alena.request<{ chatModule: { enabled: boolean } }>('{ chatModule { enabled } }');
  return !chatModule.enabled;
}

function sentTo(to: string): number {
  return first.sandbox.ledger({ to }).length + second.sandbox.ledger({ to }).length;
}

function times(): number[] {
  return [first, second].flatMap(({ sandbox }) =>
    sandbox
      .ledger({ kind: 'message' })
      .filter(({ phoneNumberId }) => phoneNumberId !== number2.phoneNumberId)
      .map(({ receivedAt }) => receivedAt.getTime()),
  );
}

function busiestSecond(all: number[]): number {
  return Math.max(
    ...Map.groupBy(all, (at) => Math.floor(at / 1_000))
      .values()
      .map((some) => some.length),
  );
}
