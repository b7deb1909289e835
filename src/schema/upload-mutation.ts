import { GraphQLError } from 'graphql';
import { hasPermission, hasScope, type Viewer } from '../auth.ts';
import type { Context } from '../context.ts';
import type { UserError as UserErrorShape } from '../errors.ts';
import { attachmentKey } from '../files/file-store.ts';
import { inspectFile } from '../files/inspection.ts';
import { UploadedFile } from '../files/uploaded-file.ts';
import type { Actor } from '../services/actor.ts';
import { requireModule } from '../services/module.ts';
import { newAttachmentId, recordAttachment, rejected, requireSendable, tooLarge } from '../services/uploads.ts';
import { Attachment } from './attachment.ts';
import { builder } from './builder.ts';
import { requireRight } from './rights.ts';
import { payload, UserError } from './user-error.ts';

builder.scalarType('File', {
  description: 'A part of a multipart request (HTTP only), by the GraphQL multipart request convention.',
  serialize: () => {
    throw new GraphQLError('A file is never part of an answer.');
  },
  parseValue: (value) => {
    if (value instanceof UploadedFile) return value;
    throw new GraphQLError('Send the file as a part of a multipart request.', {
      extensions: { code: 'BAD_USER_INPUT' },
    });
  },
});

const UploadAttachmentInput = builder.inputType('UploadAttachmentInput', {
  fields: (t) => ({ file: t.field({ type: 'File', required: true }) }),
});

const AttachmentPayload = builder
  .objectRef<{ attachmentId?: string; errors: UserErrorShape[] }>('AttachmentPayload')
  .implement({
    fields: (t) => ({
      attachment: t.field({
        type: Attachment,
        nullable: true,
        resolve: ({ attachmentId }, _args, { loaders }) =>
          attachmentId ? loaders.attachment.load(attachmentId) : null,
      }),
      errors: t.field({ type: [UserError], resolve: ({ errors }) => errors }),
    }),
  });

builder.mutationField('uploadAttachment', (t) =>
  t.field({
    type: AttachmentPayload,
    description:
      'Takes a file that WhatsApp takes: its type is that of its bytes, its limit that of its kind. Until it is sent or filed it is yours alone, and it goes after a day. Needs REPLY, SEND_TEMPLATES, CREATE_REQUESTS or EDIT_REQUESTS, or a token with WRITE_MESSAGES or WRITE_REQUESTS.',
    args: { input: t.arg({ type: UploadAttachmentInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payload(async () => {
        const actor = requireUploadRight(context.viewer);
        requireModule(await context.readModule.current(), 'enabled');
        return { attachmentId: await keep(context, actor, input.file) };
      }),
  }),
);

function requireUploadRight(viewer: Viewer | null): Actor {
  const other = (['SEND_TEMPLATES', 'CREATE_REQUESTS', 'EDIT_REQUESTS'] as const).find((one) =>
    hasPermission(viewer, one),
  );
  const scope = viewer?.kind === 'token' && hasScope(viewer, 'WRITE_REQUESTS') ? 'WRITE_REQUESTS' : 'WRITE_MESSAGES';
  return requireRight(viewer, other ?? 'REPLY', scope);
}

/** The bytes are kept first: a row without its file would be a promise that nobody can keep. */
async function keep({ db, files }: Context, actor: Actor, { name, file }: UploadedFile): Promise<string> {
  if (!file) throw tooLarge();
  const inspection = await inspectFile(file, name);
  if (!inspection.ok) throw rejected(inspection.why);
  const { mimeType, isAnimated } = inspection;
  const { size, sha256 } = file;
  requireSendable({ mimeType, size, isAnimated });
  const id = newAttachmentId();
  const storageKey = attachmentKey(id);
  await files.put(storageKey, file);
  await recordAttachment(db, actor, { id, storageKey, name, mimeType, size, sha256, isAnimated });
  return id;
}
