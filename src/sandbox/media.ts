import { createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import busboy from 'busboy';
import { GraphError, graphError } from './graph-error.ts';
import type { StoredMedia } from './media-store.ts';
import { ok } from './reply.ts';
import type { Reply } from './reply.ts';
import type { State } from './state.ts';

export const filePath = '/whatsapp_business/attachments/';

const KIB = 1_024;
const MIB = 1_024 * KIB;

/** Meta's limits by the first part of the type; what is not listed is refused. */
const limits: readonly [RegExp, number][] = [
  [/^image\/webp$/, 500 * KIB],
  [/^image\/(jpeg|png)$/, 5 * MIB],
  [/^audio\/(aac|amr|mpeg|mp4|ogg)(;.*)?$/, 16 * MIB],
  [/^video\/(mp4|3gpp)$/, 16 * MIB],
  [/^(text\/plain|application\/.+)$/, 100 * MIB],
];
const lifeSeconds = 300;

/** POST /{phone-number-id}/media */
export async function uploadMedia(state: State, request: IncomingMessage): Promise<Reply> {
  const { fields, file } = await readForm(request);
  if (fields.get('messaging_product') !== 'whatsapp')
    throw graphError(100, 'The parameter messaging_product is required.');
  if (file === null) throw graphError(131008, 'The parameter file is required.');

  const limit = limits.find(([type]) => type.test(file.mimeType))?.[1];
  if (limit === undefined) {
    throw graphError(
      100,
      `Param file must be a file with one of the supported types. Received file of type '${file.mimeType}'.`,
    );
  }
  if (file.content.byteLength > limit) throw graphError(131053, `The file is larger than ${limit} bytes.`);
  return ok({ id: state.media.add(file).id });
}

/** GET /{media-id}: an address that lives five minutes. */
export function showMedia(state: State, media: StoredMedia): Reply {
  const query = new URLSearchParams({ mid: media.id, ext: String(Math.floor(Date.now() / 1_000) + lifeSeconds) });
  query.set('hash', signature(state, query));
  return ok({
    url: `${state.url}${filePath}?${query.toString()}`,
    mime_type: media.mimeType,
    sha256: media.sha256,
    file_size: media.content.byteLength,
    id: media.id,
    messaging_product: 'whatsapp',
  });
}

/** The file itself; 404 once the address has expired or the file is gone. */
export function sendFile(state: State, query: URLSearchParams): Reply {
  const media = state.media.get(query.get('mid') ?? '');
  const isAlive = Number(query.get('ext')) >= Date.now() / 1_000;
  if (media === undefined || !isAlive || query.get('hash') !== signature(state, query)) {
    return { kind: 'bytes', httpStatus: 404, headers: { 'content-type': 'text/plain' }, body: 'Not Found' };
  }
  const headers = {
    'content-type': media.mimeType,
    'content-length': String(media.content.byteLength),
    'content-disposition': `inline;filename=${media.filename === null ? 'whatsapp' : encodeURIComponent(media.filename)}`,
  };
  return { kind: 'bytes', httpStatus: 200, headers, body: media.content };
}

type Form = { fields: Map<string, string>; file: Omit<StoredMedia, 'id' | 'sha256'> | null };

function readForm(request: IncomingMessage): Promise<Form> {
  const { promise, resolve, reject } = Promise.withResolvers<Form>();
  const form: Form = { fields: new Map(), file: null };
  const refuse = (): void => reject(new GraphError(100, '(#100) The body must be multipart/form-data'));
  try {
    const parser = busboy({ headers: request.headers, limits: { fileSize: 100 * MIB + 1, files: 1, fields: 10 } });
    parser.on('field', (name, value) => form.fields.set(name, value));
    parser.on('file', (_name, stream, { filename, mimeType }) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('close', () => (form.file = { content: Buffer.concat(chunks), mimeType, filename: filename || null }));
    });
    parser.on('close', () => resolve(form));
    parser.on('error', refuse);
    request.on('error', refuse);
    request.pipe(parser);
  } catch {
    refuse();
  }
  return promise;
}

function signature(state: State, query: URLSearchParams): string {
  const signed = `${query.get('mid')} ${query.get('ext')}`;
  return createHmac('sha256', state.accessToken).update(signed).digest('base64url');
}
