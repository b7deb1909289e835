import type { Task } from 'graphile-worker';
import { z } from 'zod';
import type { Database } from '../db/database.ts';
import { transaction } from '../db/transaction.ts';
import type { FileStore } from '../files/file-store.ts';
import type { Log } from '../log.ts';
import type { MetaClient } from '../meta/client.ts';
import { retryDelayMs } from '../meta/error.ts';
import type { CallOutcome } from '../meta/outcome.ts';
import type { Rules } from '../services/changes.ts';
import { openChannelProblem } from '../services/channel-problems.ts';
import type { ChatModule, ReadModule } from '../services/module.ts';
import { failMessage } from '../services/sending.ts';
import { postponeUpload, recordUpload, renewUpload, takeUpload, type MediaToUpload } from '../services/sent-media.ts';
import { canSend } from './send.ts';
import { problemOf, troubleOf } from './send-result.ts';
import { watchTransfer } from './transfer.ts';

export type UploadOptions = {
  db: Database;
  meta: MetaClient;
  files: FileStore;
  readModule: ReadModule;
  rulesOf: (module: ChatModule) => Rules;
  log: Log;
};

const payloadSchema = z.object({ attachmentId: z.string(), messageId: z.string() });
const STOPPED_MS = 10_000;

/** Brings the file of one waiting message to Meta. The message is sent by its own queue once Meta has it. */
export function createUploadTask(options: UploadOptions): Task {
  return async (payload) => {
    const upload = await takeUpload(options.db, payloadSchema.parse(payload));
    if (!upload) return;
    const module = await options.readModule.current();
    if (!canSend(module)) return postponeUpload(options.db, upload, new Date(Date.now() + STOPPED_MS));
    const outcome = await bring(options, module, upload);
    if (!outcome) {
      const detail = 'The file of the message is gone.';
      return failMessage(
        options.db,
        upload.messageId,
        { code: null, title: 'FILE_GONE', detail },
        options.rulesOf(module),
      );
    }
    await record(options, module, upload, outcome);
  };
}

async function bring(
  { db, meta, files, log }: UploadOptions,
  { secrets }: ChatModule,
  upload: MediaToUpload,
): Promise<CallOutcome<{ mediaId: string }> | null> {
  const { id, storageKey, byteSize, mimeType, fileName } = upload.file;
  const content = storageKey ? await files.open(storageKey) : null;
  if (!content || byteSize === null) return null;
  using transfer = watchTransfer(content, (sentBytes) => {
    log.info({ attachmentId: id, sentBytes, byteSize }, 'a file is on its way to WhatsApp');
    renewUpload(db, upload.messageId).catch((error: unknown) => log.warn({ err: error }, 'an upload was not renewed'));
  });
  try {
    const file = { content: transfer.content, size: byteSize, contentType: mimeType, filename: fileName ?? 'file' };
    return await meta.uploadMedia(upload.phoneNumberId, secrets.accessToken ?? '', file);
  } finally {
    content.destroy();
  }
}

async function record(
  { db, rulesOf, log }: UploadOptions,
  module: ChatModule,
  upload: MediaToUpload,
  outcome: CallOutcome<{ mediaId: string }>,
): Promise<void> {
  if (outcome.kind === 'ok') return recordUpload(db, upload, outcome.value.mediaId);
  const { error } = outcome;
  log.warn({ attachmentId: upload.file.id, code: error.code, attempts: upload.attempts }, 'an upload was refused');
  if (outcome.kind === 'channel') {
    const trouble = troubleOf(outcome, upload);
    await transaction(db, (tx) => openChannelProblem(tx, trouble));
    return postponeUpload(db, upload, new Date(Date.now() + STOPPED_MS));
  }
  const delayMs = outcome.kind === 'temporary' ? retryDelayMs(error.rule, upload.attempts) : null;
  if (delayMs === null) return failMessage(db, upload.messageId, problemOf(error), rulesOf(module));
  const waitMs = Math.max(delayMs, outcome.kind === 'temporary' ? (outcome.retryAfterMs ?? 0) : 0);
  await postponeUpload(db, upload, new Date(Date.now() + waitMs));
}
