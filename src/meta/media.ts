import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { missingIsPermanent } from './outcome.ts';
import type { CallOutcome } from './outcome.ts';
import { repeatable } from './transport.ts';
import type { Transport } from './transport.ts';

export type Upload = {
  content: AsyncIterable<Uint8Array>;
  /** Exact length in bytes: it is announced before the content. */
  size: number;
  /** One of Meta's spellings, e.g. audio/ogg; codecs=opus is announced as audio/ogg. */
  contentType: string;
  filename: string;
};

export type MediaInfo = {
  id: string;
  /** Lives five minutes and needs the token. */
  url: string;
  mimeType: string | null;
  /** Lower-case hex, whereas webhooks carry base64. */
  sha256: string | null;
  size: number | null;
};

const uploaded = z.object({ id: z.coerce.string().min(1) });
const mediaInfo = z.object({
  id: z.coerce.string(),
  url: z.url(),
  mime_type: z.string().nullish().catch(null),
  sha256: z.string().nullish().catch(null),
  file_size: z.coerce.number().int().nonnegative().nullish().catch(null),
});

/** 100 MB in this time is 0.7 Mbit/s. */
const uploadTimeoutMs = 20 * 60_000;

/** The content is streamed, never held. A repeat needs a new stream and only leaves an unused file at Meta. */
export async function uploadMedia(
  transport: Transport,
  phoneNumberId: string,
  accessToken: string,
  upload: Upload,
): Promise<CallOutcome<{ mediaId: string }>> {
  const path = `${encodeURIComponent(phoneNumberId)}/media`;
  const stream = { ...multipart(upload), timeoutMs: uploadTimeoutMs };
  const request = { method: 'POST', path, accessToken, stream } as const;
  const called = await transport.call(request, (body) => uploaded.safeParse(body).data ?? null);
  return repeatable(called, ({ id }) => ({ mediaId: id }));
}

/** A media id that is gone is permanent and says nothing about the business number. */
export async function getMedia(
  transport: Transport,
  mediaId: string,
  accessToken: string,
): Promise<CallOutcome<MediaInfo>> {
  const request = { method: 'GET', path: encodeURIComponent(mediaId), accessToken } as const;
  const called = await transport.call(request, (body) => mediaInfo.safeParse(body).data ?? null);
  const outcome = repeatable(called, (found) => ({
    id: found.id,
    url: found.url,
    mimeType: found.mime_type ?? null,
    sha256: found.sha256 ?? null,
    size: found.file_size ?? null,
  }));
  return outcome.kind === 'ok' ? outcome : missingIsPermanent(outcome);
}

// By hand, because FormData wants the whole file in memory and hides the length from a stream.
function multipart(upload: Upload): { body: AsyncIterable<Uint8Array>; headers: Record<string, string> } {
  const boundary = `cdesk-${randomUUID()}`;
  const head = Buffer.from(
    field(boundary, 'messaging_product', 'whatsapp') +
      field(boundary, 'type', upload.contentType) +
      `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${quoted(upload.filename)}"\r\n` +
      `Content-Type: ${upload.contentType.replaceAll(/[\r\n]/g, '')}\r\n\r\n`,
  );
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
  return {
    body: parts(head, upload.content, tail),
    headers: {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      'content-length': String(head.length + upload.size + tail.length),
    },
  };
}

function field(boundary: string, name: string, value: string): string {
  return `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value.replaceAll(/[\r\n]/g, '')}\r\n`;
}

// As browsers do it: these three would end the header.
function quoted(filename: string): string {
  return filename.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

async function* parts(head: Buffer, content: AsyncIterable<Uint8Array>, tail: Buffer): AsyncGenerator<Uint8Array> {
  yield head;
  yield* content;
  yield tail;
}
