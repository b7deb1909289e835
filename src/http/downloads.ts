import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { create as contentDisposition } from 'content-disposition';
import { parse as parseRange } from 'range-parser';
import type { Database } from '../db/database.ts';
import type { ByteRange, FileStore } from '../files/file-store.ts';
import { FILES_PATH, type FileLinks, type LinkedFile, type LinkedKind } from '../files/links.ts';
import type { Log } from '../log.ts';
import { safeFileName, shownType } from './file-names.ts';

/** A file that a link leads to. */
export type ServedFile = {
  storageKey: string;
  fileName: string | null;
  mimeType: string;
  /** Bytes. */
  size: number;
  sha256: string | null;
};

export type DownloadOptions = {
  files: FileStore;
  links: FileLinks;
  sources: Record<LinkedKind, (id: string) => Promise<ServedFile | null>>;
  isOriginAllowed: (origin: string | undefined) => boolean;
  log: Log;
};

/** Serves what a signed link leads to; false where the request is for somebody else. */
export function createDownloadRoute(options: DownloadOptions) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<boolean> => {
    if (!request.url?.startsWith(FILES_PATH)) return false;
    try {
      await serve(options, request.url, request, response);
    } catch (error) {
      if (isGone(error)) return true;
      options.log.error({ err: error }, 'a file could not be served');
      refuse(response, 503, 'The file cannot be read now. Try again later.');
    }
    return true;
  };
}

async function serve(options: DownloadOptions, url: string, request: IncomingMessage, response: ServerResponse) {
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405, 'Use GET or HEAD.');
  const link = options.links.verify(url);
  if (!link) return refuse(response, 403, 'The link is not valid or has expired. Ask for a new one.');
  const file = await options.sources[link.kind](link.id);
  if (!file) return refuse(response, 404, 'The file is not here.');
  setHeaders(response, file, link);
  if (request.headers.origin && options.isOriginAllowed(request.headers.origin)) {
    response.setHeader('access-control-allow-origin', request.headers.origin);
    response.setHeader('vary', 'Origin');
  }
  if (file.sha256 && request.headers['if-none-match'] === `"${file.sha256}"`) return void response.writeHead(304).end();
  await send(options.files, file, request, response);
}

async function send(files: FileStore, file: ServedFile, request: IncomingMessage, response: ServerResponse) {
  const range = rangeOf(request, file.size);
  if (range === 'unsatisfiable') {
    response.setHeader('content-range', `bytes */${file.size}`);
    return refuse(response, 416, 'The file is shorter than that.');
  }
  const length = range ? range.end - range.start + 1 : file.size;
  const isHead = request.method === 'HEAD';
  const content = isHead ? null : await files.open(file.storageKey, range ?? undefined);
  if (!isHead && !content) return refuse(response, 404, 'The file is not here.');
  if (range) response.setHeader('content-range', `bytes ${range.start}-${range.end}/${file.size}`);
  response.writeHead(range ? 206 : 200, { 'content-length': length });
  if (content) await pipeline(content, response);
  else response.end();
}

const MALFORMED = 1;

/** Several ranges at once are answered with the whole file, as the standard allows. */
function rangeOf({ headers }: IncomingMessage, size: number): ByteRange | 'unsatisfiable' | null {
  if (!headers.range || size === 0) return null;
  const { code, type, ranges } = parseRange(size, headers.range);
  if (type !== 'bytes' || (code & MALFORMED) !== 0) return null;
  const [range, ...others] = ranges;
  if (!range) return 'unsatisfiable';
  return others.length > 0 ? null : range;
}

/** What a stranger sent must not run in anybody's browser: neither as a page nor by a guess at its type. */
function setHeaders(response: ServerResponse, file: ServedFile, { expiresAt }: LinkedFile): void {
  const { contentType, isInline } = shownType(file.mimeType);
  const maxAge = Math.max(0, Math.floor((expiresAt.getTime() - Date.now()) / 1000));
  response.setHeader('content-type', contentType);
  response.setHeader(
    'content-disposition',
    contentDisposition(safeFileName(file.fileName, file.mimeType), { type: isInline ? 'inline' : 'attachment' }),
  );
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('content-security-policy', "default-src 'none'; sandbox");
  response.setHeader('cross-origin-resource-policy', 'cross-origin');
  response.setHeader('referrer-policy', 'no-referrer');
  response.setHeader('cache-control', `private, max-age=${maxAge}`);
  response.setHeader('accept-ranges', 'bytes');
  if (file.sha256) response.setHeader('etag', `"${file.sha256}"`);
}

function refuse(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent) return void response.destroy();
  for (const name of ['etag', 'content-disposition', 'accept-ranges']) response.removeHeader(name);
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(text);
}

/** The client went away in the middle. */
function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';
}

/** An attachment has a file once it was uploaded or fetched, and none any more once it was erased. */
/** An export that has not run out: a link that is still good leads nowhere once the person was erased. */
export function findExportFile(db: Database): (id: string) => Promise<ServedFile | null> {
  return async (id) => {
    const found = await db.prisma.participantExport.findUnique({ where: { id, expiresAt: { gt: new Date() } } });
    if (!found) return null;
    const { storageKey, byteSize: size, sha256 } = found;
    return { storageKey, fileName: 'participant.json', mimeType: 'application/json', size, sha256 };
  };
}

export function findAttachmentFile(db: Database): (id: string) => Promise<ServedFile | null> {
  return async (id) => {
    const row = await db.prisma.attachment.findUnique({ where: { id } });
    if (!row || row.storageKey === null || row.byteSize === null) return null;
    const { storageKey, fileName, mimeType, byteSize: size, sha256 } = row;
    return { storageKey, fileName, mimeType, size, sha256 };
  };
}
