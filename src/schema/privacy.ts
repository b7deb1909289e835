import { v7 as uuid } from 'uuid';
import type { Context } from '../context.ts';
import type { UserError as UserErrorShape } from '../errors.ts';
import { exportKey } from '../files/file-store.ts';
import type { Participant } from '../generated/prisma/client.ts';
import type { Actor } from '../services/actor.ts';
import { requireModule } from '../services/module.ts';
import { eraseParticipant, notFound } from '../services/privacy/erase.ts';
import { exportParticipant, isRecorded, recordExport } from '../services/privacy/export.ts';
import { builder } from './builder.ts';
import { inputId } from './global-id.ts';
import { requireRight } from './rights.ts';
import { payload, UserError } from './user-error.ts';

const EXPORT_SECONDS = 15 * 60;
const MAX_EXPORT_BYTES = 1024 ** 3;

type Erasure = { erasedMessages?: number; erasedAttachments?: number; errors: UserErrorShape[] };
type Export = { url?: string; expiresAt?: Date; errors: UserErrorShape[] };

const EraseParticipantPayload = builder.objectRef<Erasure>('EraseParticipantPayload').implement({
  fields: (t) => ({
    erasedMessages: t.int({ resolve: ({ erasedMessages }) => erasedMessages ?? 0 }),
    erasedAttachments: t.int({ resolve: ({ erasedAttachments }) => erasedAttachments ?? 0 }),
    errors: t.field({ type: [UserError], resolve: ({ errors }) => errors }),
  }),
});

const ExportParticipantPayload = builder.objectRef<Export>('ExportParticipantPayload').implement({
  fields: (t) => ({
    url: t.string({
      nullable: true,
      description: 'Short-lived signed link to a JSON file; whoever holds it may fetch it.',
      resolve: ({ url }) => url ?? null,
    }),
    expiresAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When link and file are gone, UTC.',
      resolve: ({ expiresAt }) => expiresAt ?? null,
    }),
    errors: t.field({ type: [UserError], resolve: ({ errors }) => errors }),
  }),
});

const EraseParticipantInput = builder.inputType('EraseParticipantInput', {
  fields: (t) => ({
    participantId: t.id({ required: true }),
    reason: t.string({ required: true, description: 'For the audit log: 1 to 500 characters, no personal data.' }),
  }),
});

const ExportParticipantInput = builder.inputType('ExportParticipantInput', {
  fields: (t) => ({ participantId: t.id({ required: true }) }),
});

builder.mutationField('eraseParticipant', (t) =>
  t.field({
    type: EraseParticipantPayload,
    description:
      'Deletes for good what is kept about a customer: names, numbers, messages, files, raw deliveries. Conversations keep their numbers, requests lose their description. Needs MANAGE_PRIVACY.',
    args: { input: t.arg({ type: EraseParticipantInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payload(async () => {
        const actor = requireRight(context.viewer, 'MANAGE_PRIVACY', null);
        requireModule(await context.readModule.current(), 'licensed');
        const { id: participantId } = await existing(input.participantId, context);
        return eraseParticipant(context.db, actor, context.connector, { participantId, reason: input.reason });
      }),
  }),
);

builder.mutationField('exportParticipant', (t) =>
  t.field({
    type: ExportParticipantPayload,
    description: 'Everything that is kept about a customer, as a JSON file behind a signed link. Needs MANAGE_PRIVACY.',
    args: { input: t.arg({ type: ExportParticipantInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payload(async () => {
        const actor = requireRight(context.viewer, 'MANAGE_PRIVACY', null);
        requireModule(await context.readModule.current(), 'licensed');
        return storeExport(context, actor, await existing(input.participantId, context));
      }),
  }),
);

/** The kept one where two turned out to be the same person. */
async function existing(global: string, { loaders }: Context): Promise<Participant> {
  const participant = await loaders.participant.load(inputId('Participant', global, 'participantId'));
  if (!participant) throw notFound();
  return participant;
}

/** Known first, then stored: a file that nobody knows would never be taken away. */
async function storeExport(
  { db, files, fileLinks }: Context,
  actor: Actor,
  { id: participantId, erasedAt }: Participant,
) {
  await using file = await files.receive(exportParticipant(db, participantId), { maxBytes: MAX_EXPORT_BYTES });
  const id = uuid();
  const storageKey = exportKey(id);
  const { url, expiresAt } = fileLinks.sign('exports', id, EXPORT_SECONDS);
  const { size: byteSize, sha256 } = file;
  await recordExport(db, actor, { id, participantId, storageKey, byteSize, sha256, expiresAt }, erasedAt);
  await files.put(storageKey, file);
  if (await isRecorded(db, id)) return { url, expiresAt };
  await files.remove(storageKey);
  throw notFound();
}
