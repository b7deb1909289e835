import { v7 as uuid } from 'uuid';
import type { Database } from '../../src/db/database.ts';
import { transaction } from '../../src/db/transaction.ts';
import type { Item } from '../../src/services/receiving/items.ts';
import { comparisonKey } from '../../src/services/phone-numbers.ts';
import type { Ingest } from '../../src/webhooks/ingest.ts';

/** What the batch writer is compared with: the same rows for a text message, one transaction for each webhook. */
export type WriteOne = (body: Buffer, item: Extract<Item, { type: 'message' }>, receivedAt: Date) => Promise<void>;

export function ingestOneByOne(writeOne: WriteOne): Ingest {
  return {
    async accept(body, items, receivedAt) {
      for (const item of items) if (item.type === 'message') await persistently(() => writeOne(body, item, receivedAt));
    },
    async reject() {},
    async drain() {},
  };
}

/** Two first messages at once, or a wait too long for a connection: one of them tries again. */
async function persistently(work: () => Promise<void>): Promise<void> {
  for (let attempt = 1; attempt < 5; attempt++) {
    try {
      return await work();
    } catch {
      continue;
    }
  }
  await work();
}

/** Seven statements, the last of which appends the event and commits in one trip. */
export function handWritten(db: Database, businessNumberId: string): WriteOne {
  return (body, item, receivedAt) =>
    transaction(db, async (tx) => {
      const at = item.at ?? receivedAt;
      const text = item.content.type === 'text' ? item.content.text : '';
      const { waId, profileName } = item.participant;
      await tx.query(
        {
          name: 'a',
          text: `INSERT INTO webhook_delivery (id, received_at, body, state, attempts, item_count, processed_at)
           VALUES ($1, $2, $3, 'PROCESSED', 1, 1, $2)`,
        },
        [uuid(), receivedAt, body],
      );
      const [participant] = await tx.query<{ id: string }>(
        {
          name: 'b',
          text: `INSERT INTO participant (id, wa_id, comparison_key, phone_number, profile_name) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (comparison_key) DO UPDATE SET profile_name = excluded.profile_name RETURNING id`,
        },
        [uuid(), waId, comparisonKey(waId ?? ''), `+${waId}`, profileName],
      );
      const [conversation] = await tx.query<{ id: string; n: number }>(
        {
          name: 'c',
          text: `INSERT INTO conversation (id, business_number_id, participant_id, created_at, last_message_at, beacon_changed_at, last_sequence)
           VALUES ($1, $2, $3, $4, $4, $4, 1)
           ON CONFLICT (business_number_id, participant_id) DO UPDATE SET last_sequence = conversation.last_sequence + 1
           RETURNING id, last_sequence AS n`,
        },
        [uuid(), businessNumberId, participant?.id, at],
      );
      const id = uuid();
      const stored = await tx.query(
        {
          name: 'd',
          text: `INSERT INTO message (id, conversation_id, sequence, direction, origin, kind, content, preview, search_text, provider_id, sent_at, sent_second, received_at)
           VALUES ($1, $2, $3, 'INCOMING', 'CUSTOMER', 'TEXT', $4, $5, lower($5), $6, $7, date_trunc('second', $7::timestamptz), $8)
           ON CONFLICT (provider_id) DO NOTHING RETURNING id`,
        },
        [id, conversation?.id, conversation?.n, item.content, text, item.providerId, at, receivedAt],
      );
      if (stored.length === 0) return;
      await tx.query(
        {
          name: 'e',
          text: `UPDATE conversation SET last_message_id = $2, last_message_at = $3, last_message_preview = $4,
             last_message_search = lower($4), last_message_direction = 'INCOMING', last_incoming_message_id = $2,
             last_incoming_at = $3, unread_count = unread_count + 1, beacon_on = true, beacon_since = coalesce(beacon_since, $3),
             beacon_trigger_id = coalesce(beacon_trigger_id, $2), window_opened_at = $3, window_opened_by = 'CUSTOMER_MESSAGE',
             window_expires_at = $3::timestamptz + interval '24 hours', window_announced = 'OPEN', version = version + 1 WHERE id = $1`,
        },
        [conversation?.id, id, at, text],
      );
      tx.append({
        type: 'MESSAGE_ADDED',
        conversationId: conversation?.id ?? null,
        businessNumberId,
        messageId: id,
        occurredAt: at,
      });
    });
}

/** As the documentation of Prisma shows it: an interactive transaction with upserts. */
export function withPrisma(db: Database, businessNumberId: string): WriteOne {
  return async (body, item, receivedAt) => {
    const at = item.at ?? receivedAt;
    const text = item.content.type === 'text' ? item.content.text : '';
    const { waId, profileName } = item.participant;
    const key = comparisonKey(waId ?? '');
    await db.prisma.$transaction(
      async (tx) => {
        await tx.webhookDelivery.create({
          data: {
            receivedAt,
            body: Buffer.from(body),
            state: 'PROCESSED',
            attempts: 1,
            itemCount: 1,
            processedAt: receivedAt,
          },
        });
        const participant = await tx.participant.upsert({
          where: { comparisonKey: key },
          create: { waId, comparisonKey: key, phoneNumber: `+${waId}`, profileName },
          update: { profileName },
        });
        const pair = { businessNumberId, participantId: participant.id };
        const conversation = await tx.conversation.upsert({
          where: { participantId_businessNumberId: pair },
          create: { ...pair, createdAt: at, lastMessageAt: at, beaconChangedAt: at, lastSequence: 1 },
          update: { lastSequence: { increment: 1 } },
        });
        const message = await tx.message.create({
          data: {
            conversationId: conversation.id,
            sequence: conversation.lastSequence,
            direction: 'INCOMING',
            origin: 'CUSTOMER',
            kind: 'TEXT',
            content: { type: 'text', text },
            preview: text,
            searchText: text.toLowerCase(),
            providerId: item.providerId,
            sentAt: at,
            sentSecond: new Date(Math.floor(at.getTime() / 1000) * 1000),
            receivedAt,
          },
        });
        await tx.conversation.update({
          where: { id: conversation.id },
          data: {
            lastMessageId: message.id,
            lastMessageAt: at,
            lastMessagePreview: text,
            lastMessageDirection: 'INCOMING',
            lastIncomingMessageId: message.id,
            lastIncomingAt: at,
            unreadCount: { increment: 1 },
            beaconOn: true,
            beaconSince: conversation.beaconSince ?? at,
            windowExpiresAt: new Date(at.getTime() + 86_400_000),
            windowOpenedAt: at,
            windowOpenedBy: 'CUSTOMER_MESSAGE',
            version: { increment: 1 },
          },
        });
        const head = await tx.streamHead.update({ where: { id: 1 }, data: { seq: { increment: 1 } } });
        await tx.event.create({
          data: {
            seq: head.seq,
            epoch: head.epoch,
            type: 'MESSAGE_ADDED',
            conversationId: conversation.id,
            businessNumberId,
            messageId: message.id,
            occurredAt: at,
            recordedAt: new Date(),
          },
        });
      },
      { maxWait: 60_000, timeout: 60_000 },
    );
  };
}
