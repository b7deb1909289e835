import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { SpooledFile } from './spool.ts';
import { findZipEnd, sumEntries, TAIL_BYTES, type ZipEnd } from './zip-directory.ts';

/** What a file is by its bytes, or why it is not to be passed on. */
export type Inspection = { ok: true; mimeType: string; isAnimated: boolean } | { ok: false; why: string };

/** Other names under which the bytes are recognised. */
const sameTypes: Readonly<Record<string, string>> = {
  'audio/x-m4a': 'audio/mp4',
  'audio/ogg; codecs=opus': 'audio/ogg',
  'image/apng': 'image/png',
};
/** The old formats of office programs differ only inside. */
const oldOffice: Readonly<Record<string, string>> = {
  doc: 'application/msword',
  xls: 'application/vnd.ms-excel',
  ppt: 'application/vnd.ms-powerpoint',
};
const HEAD_BYTES = 1_024;
const MARKUP = /<(?:!doctype|html|head|body|script|svg|iframe|\?php)/i;
const MAX_DIRECTORY_BYTES = 4 * 1_024 * 1_024;
const MAX_ENTRIES = 10_000;
const MAX_UNPACKED_BYTES = 1_024 * 1_024 * 1_024;
const MAX_RATIO = 200;

const twoThings = refuse('The file is two kinds of file at once.');
const bomb = refuse('The file unpacks to far more than it holds.');

/** Recognises a file by its bytes, whatever its name says, and refuses what pretends to be something else. */
export async function inspectFile(file: SpooledFile, name: string | null): Promise<Inspection> {
  if (file.size === 0) return refuse('The file is empty.');
  const { head, tail } = await readEnds(file);
  const mimeType = typeOf(file, name);
  if (mimeType === null) return inspectText(file, head);
  const zip = findZipEnd(tail, file.size);
  const isOffice = mimeType.startsWith('application/vnd.openxmlformats-');
  if (isPolyglot(head, mimeType) || (zip !== null && !isOffice)) return twoThings;
  if (isOffice) return (await inspectArchive(file, zip)) ?? { ok: true, mimeType, isAnimated: false };
  return { ok: true, mimeType, isAnimated: isAnimatedWebp(head) };
}

function typeOf({ detectedType }: SpooledFile, name: string | null): string | null {
  if (detectedType === 'audio/ogg') return 'audio/ogg; codecs=other';
  if (detectedType === 'application/x-cfb')
    return oldOffice[name?.split('.').at(-1)?.toLowerCase() ?? ''] ?? detectedType;
  return detectedType === null ? null : (sameTypes[detectedType] ?? detectedType);
}

/** Readers of PDF and browsers look for their own kind anywhere near the beginning. */
function isPolyglot(head: Buffer, mimeType: string): boolean {
  const text = head.toString('latin1');
  const pdfAt = text.indexOf('%PDF-');
  if (mimeType === 'application/pdf' ? pdfAt !== 0 : pdfAt >= 0) return true;
  return MARKUP.test(text);
}

async function inspectText(file: SpooledFile, head: Buffer): Promise<Inspection> {
  if (MARKUP.test(head.toString('latin1'))) return refuse('WhatsApp takes no files of this type.');
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    for await (const chunk of createReadStream(file.path)) {
      // A stream without an encoding gives buffers.
      if (/[^\P{Cc}\t\n\f\r]/u.test(decoder.decode(chunk as Buffer, { stream: true })))
        throw new Error('control character');
    }
    decoder.decode();
  } catch {
    return refuse('WhatsApp takes no files of this type.');
  }
  return { ok: true, mimeType: 'text/plain', isAnimated: false };
}

/** Null where the archive is what it says. */
async function inspectArchive(file: SpooledFile, zip: ZipEnd | null): Promise<Inspection | null> {
  if (!zip || zip.entries > MAX_ENTRIES || zip.directoryBytes > MAX_DIRECTORY_BYTES) return bomb;
  // Something before or between: the archive is hidden in another file.
  if (zip.directoryAt + zip.directoryBytes !== zip.at) return twoThings;
  const sums = sumEntries(await readAt(file.path, zip.directoryAt, zip.directoryBytes), zip.entries);
  if (!sums) return refuse('The file is damaged.');
  const isBomb = sums.unpacked > MAX_UNPACKED_BYTES || sums.unpacked > file.size * MAX_RATIO || sums.packed > file.size;
  return isBomb ? bomb : null;
}

/** Bit 1 of the flags of an extended WebP. */
function isAnimatedWebp(head: Buffer): boolean {
  return head.toString('latin1', 12, 16) === 'VP8X' && ((head[20] ?? 0) & 0x02) !== 0;
}

async function readEnds({ path, size }: SpooledFile): Promise<{ head: Buffer; tail: Buffer }> {
  const tailBytes = Math.min(size, TAIL_BYTES);
  const [head, tail] = await Promise.all([
    readAt(path, 0, Math.min(size, HEAD_BYTES)),
    readAt(path, size - tailBytes, tailBytes),
  ]);
  return { head, tail };
}

async function readAt(path: string, position: number, length: number): Promise<Buffer> {
  await using handle = await open(path);
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

function refuse(why: string): Extract<Inspection, { ok: false }> {
  return { ok: false, why };
}
