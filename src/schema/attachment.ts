import { badInput } from '../errors.ts';
import { builder } from './builder.ts';
import { AttachmentState } from './enums.ts';
import { findable } from './node.ts';
import { visibleAttachment } from './visibility.ts';

const MAX_LINK_SECONDS = 3_600;
const LINK_SECONDS = 300;

export const Attachment = builder.prismaNode('Attachment', {
  id: { field: 'id' },
  description: 'A file of a message, a request or a discussion post.',
  authScopes: { scope: 'READ_MESSAGE_BODIES' },
  runScopesOnType: true,
  fields: (t) => ({
    fileName: t.exposeString('fileName', { nullable: true, description: 'As its sender named it; not a safe path.' }),
    mimeType: t.exposeString('mimeType'),
    byteSize: t.exposeInt('byteSize', { nullable: true, description: 'Bytes; null until the file is here.' }),
    sha256: t.exposeString('sha256', { nullable: true, description: 'Lower-case hex.' }),
    state: t.expose('state', { type: AttachmentState }),
    url: t.string({
      nullable: true,
      description:
        "Short-lived signed link of this server, never Meta's own; whoever holds it may fetch the file. Null while there is none.",
      args: {
        expiresInSeconds: t.arg.int({ defaultValue: LINK_SECONDS, description: '1 to 3600.' }),
      },
      resolve: (attachment, { expiresInSeconds }, { fileLinks }) =>
        attachment.storageKey === null
          ? null
          : fileLinks.sign('attachments', attachment.id, lifeOf(expiresInSeconds)).url,
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the file is deleted here, UTC; null where it is kept.',
    }),
  }),
});

findable('Attachment', { scope: 'READ_MESSAGE_BODIES' }, visibleAttachment);

function lifeOf(seconds: number | null | undefined): number {
  const life = seconds ?? LINK_SECONDS;
  if (life >= 1 && life <= MAX_LINK_SECONDS) return life;
  throw badInput(`A link lives 1 to ${MAX_LINK_SECONDS} seconds.`, 'expiresInSeconds');
}
