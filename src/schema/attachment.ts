import { builder } from './builder.ts';
import { AttachmentState } from './enums.ts';

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
    expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: true }),
  }),
});
