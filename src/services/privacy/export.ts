import type { Database } from '../../db/database.ts';
import { transaction } from '../../db/transaction.ts';
import type { Actor } from '../actor.ts';
import { recordAudit } from '../audit.ts';
import { notFound } from './erase.ts';

const MESSAGES_AT_ONCE = 500;

/** Everything that is kept about a person, as one JSON document, written piece by piece. */
export async function* exportParticipant(db: Database, participantId: string): AsyncGenerator<Uint8Array> {
  for await (const part of documentOf(db, participantId)) yield Buffer.from(part);
}

async function* documentOf(db: Database, participantId: string): AsyncGenerator<string> {
  const people = await db.prisma.participant.findMany({
    where: { OR: [{ id: participantId }, { mergedIntoId: participantId }] },
    orderBy: { createdAt: 'asc' },
    include: { formerIds: { select: { id: true, until: true } } },
  });
  yield `{"exportedAt":${JSON.stringify(new Date())},"participants":${JSON.stringify(people)},"conversations":[`;
  const conversations = await db.prisma.conversation.findMany({
    where: { participantId: { in: people.map(({ id }) => id) } },
    orderBy: { number: 'asc' },
    select: {
      id: true,
      number: true,
      source: true,
      createdAt: true,
      lastMessageAt: true,
      businessNumber: { select: { phoneNumber: true } },
      requests: {
        select: {
          code: true,
          name: true,
          description: true,
          customFields: true,
          createdAt: true,
          discussion: { select: { kind: true, body: true, createdAt: true }, orderBy: { createdAt: 'asc' } },
        },
      },
    },
  });
  for (const [index, { id, ...conversation }] of conversations.entries()) {
    yield `${index > 0 ? ',' : ''}{"conversation":${JSON.stringify(conversation)},"messages":[`;
    yield* messagesOf(db, id);
    yield ']}';
  }
  yield ']}\n';
}

async function* messagesOf(db: Database, conversationId: string): AsyncGenerator<string> {
  for (let after = 0, isFirst = true; ;) {
    const page = await db.prisma.message.findMany({
      where: { conversationId, sequence: { gt: after } },
      orderBy: { sequence: 'asc' },
      take: MESSAGES_AT_ONCE,
      select: {
        sequence: true,
        direction: true,
        origin: true,
        kind: true,
        content: true,
        sentAt: true,
        receivedAt: true,
        status: true,
        editedAt: true,
        withdrawnAt: true,
        referral: true,
        statusHistory: { select: { status: true, at: true } },
        reactions: { select: { emoji: true, byCustomer: true, at: true } },
        attachments: { select: { fileName: true, mimeType: true, byteSize: true, sha256: true, state: true } },
      },
    });
    for (const message of page) {
      yield `${isFirst ? '' : ','}${JSON.stringify(message)}`;
      isFirst = false;
    }
    const last = page.at(-1);
    if (!last) return;
    after = last.sequence;
  }
}

export type StoredExport = {
  id: string;
  participantId: string;
  storageKey: string;
  byteSize: number;
  sha256: string;
  expiresAt: Date;
};

/** Makes the file known, and writes down who asked for it. `erasedAt` is that of the person who was read. */
export async function recordExport(
  db: Database,
  actor: Actor,
  stored: StoredExport,
  erasedAt: Date | null,
): Promise<void> {
  await transaction(db, async (tx) => {
    const [same] = await tx.query(
      'SELECT id FROM participant WHERE id = $1 AND erased_at IS NOT DISTINCT FROM $2::timestamptz FOR SHARE',
      [stored.participantId, erasedAt],
    );
    if (!same) throw notFound();
    await tx.query(
      `INSERT INTO participant_export (id, participant_id, storage_key, byte_size, sha256, created_at, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [stored.id, stored.participantId, stored.storageKey, stored.byteSize, stored.sha256, tx.now, stored.expiresAt],
    );
    await recordAudit(tx, actor, {
      action: 'PARTICIPANT_EXPORTED',
      subject: { type: 'Participant', id: stored.participantId },
    });
  });
}

/** An erasure takes the files that it knows: one that came after it would stay for good. */
export async function isRecorded(db: Database, exportId: string): Promise<boolean> {
  return (await db.prisma.participantExport.count({ where: { id: exportId } })) > 0;
}
