import type { Task } from 'graphile-worker';
import { z } from 'zod';
import type { Database } from '../db/database.ts';
import type { WantedMedia } from '../db/statements/media.ts';
import { attachmentKey, type FileStore } from '../files/file-store.ts';
import { FileTooLargeError, type SpooledFile } from '../files/spool.ts';
import type { Log } from '../log.ts';
import type { MetaClient } from '../meta/client.ts';
import { MediaTooLargeError, type Download } from '../meta/download.ts';
import type { MediaInfo } from '../meta/media.ts';
import type { Failed } from '../meta/outcome.ts';
import { recordMedia, takeMedia, type MediaResult } from '../services/media.ts';
import type { ReadModule } from '../services/module.ts';
import { watchTransfer } from './transfer.ts';

export type MediaOptions = { db: Database; meta: MetaClient; files: FileStore; readModule: ReadModule; log: Log };

const payloadSchema = z.object({ attachmentId: z.string() });
/** Meta keeps nothing larger. */
const MAX_BYTES = 100 * 1024 * 1024;
/** A file that keeps differing from its checksum is not going to get better. */
const MAX_DAMAGED = 5;

/** Fetches one file from Meta while its id lives, checks it, keeps it, and tells that it is here. */
export function createMediaTask(options: MediaOptions): Task {
  return async (payload) => {
    const { attachmentId } = payloadSchema.parse(payload);
    const wanted = await takeMedia(options.db, attachmentId);
    if (!wanted) return;
    const result = await fetchMedia(options, wanted);
    if (result.kind !== 'fetched') {
      options.log.warn({ attachmentId, attempts: wanted.attempts, why: result.why }, 'a file could not be fetched');
    }
    await recordMedia(options.db, wanted, result);
  };
}

async function fetchMedia(options: MediaOptions, wanted: WantedMedia): Promise<MediaResult> {
  const { accessToken } = (await options.readModule.current()).secrets;
  if (!accessToken) return { kind: 'later', why: 'The access token is missing.', afterMs: null };
  const info = await options.meta.getMedia(wanted.mediaId, accessToken);
  if (info.kind !== 'ok') return failed(info);
  const download = await options.meta.downloadMedia(info.value.url, accessToken, { maxBytes: MAX_BYTES });
  if (download.kind !== 'ok') return failed(download);
  return keep(options, wanted, info.value, download.value);
}

async function keep(
  { files, log }: MediaOptions,
  wanted: WantedMedia,
  info: MediaInfo,
  download: Download,
): Promise<MediaResult> {
  const { attachmentId } = wanted;
  using transfer = watchTransfer(download.content, (receivedBytes) =>
    log.info({ attachmentId, receivedBytes, byteSize: download.size }, 'a file is on its way from WhatsApp'),
  );
  try {
    await using file = await files.receive(transfer.content, { maxBytes: MAX_BYTES });
    const damage = damageOf(file, wanted, info, download);
    if (damage) return wanted.attempts < MAX_DAMAGED ? { kind: 'later', why: damage, afterMs: null } : refused(damage);
    const storageKey = attachmentKey(wanted.attachmentId);
    await files.put(storageKey, file);
    const { size, sha256, detectedType } = file;
    return { kind: 'fetched', storageKey, size, sha256, detectedType };
  } catch (error) {
    if (error instanceof FileTooLargeError || error instanceof MediaTooLargeError) return refused(error.message);
    // The connection broke in the middle, or our own store is away: neither says anything about the file.
    return { kind: 'later', why: error instanceof Error ? error.message : 'unknown error', afterMs: null };
  }
}

function damageOf(file: SpooledFile, wanted: WantedMedia, info: MediaInfo, download: Download): string | null {
  const sizes = [info.size, download.size].filter((size) => size !== null);
  if (sizes.some((size) => size !== file.size)) return 'The file is not as long as WhatsApp announced.';
  const sha256 = wanted.announcedSha256 ?? hexOf(info.sha256);
  return sha256 !== null && sha256 !== file.sha256 ? 'The file does not agree with its checksum.' : null;
}

function hexOf(sha256: string | null): string | null {
  return sha256 !== null && /^[0-9a-f]{64}$/i.test(sha256) ? sha256.toLowerCase() : null;
}

/** A dead token or a wrong address says nothing about the file: it waits while its id lives. */
function failed(outcome: Failed): MediaResult {
  const why = outcome.error.detail ? `${outcome.error.title}: ${outcome.error.detail}` : outcome.error.title;
  if (outcome.kind === 'permanent') return refused(why);
  return { kind: 'later', why, afterMs: outcome.kind === 'temporary' ? outcome.retryAfterMs : null };
}

function refused(why: string): MediaResult {
  return { kind: 'refused', why };
}
