import { Readable, Transform } from 'node:stream';
import { Agent, fetch as undiciFetch } from 'undici';
import type { Response } from 'undici';
import { guardedLookup, isMediaUrlAllowed, isPrivateLiteral } from './addresses.ts';
import { rule } from './error-codes.ts';
import { ownFailure } from './error.ts';
import { refusedFailure, repeatableFailure, unknown } from './outcome.ts';
import type { CallOutcome, Failed } from './outcome.ts';
import type { Fetch } from './transport.ts';

export type DownloadOptions = { maxBytes: number };

export type Download = {
  /** Fails with MediaTooLargeError once it passes the limit, whatever length was announced. */
  content: Readable;
  contentType: string | null;
  /** As announced; null where it is not. */
  size: number | null;
};

export class MediaTooLargeError extends Error {
  override name = 'MediaTooLargeError';

  constructor(maxBytes: number) {
    super(`The file is larger than ${maxBytes} bytes`);
  }
}

export type Downloader = {
  download(url: string, accessToken: string, options: DownloadOptions): Promise<CallOutcome<Download>>;
  close(): Promise<void>;
};

const expired = rule('temporary', {
  delaysMs: [1_000, 10_000, 60_000],
  meaning: 'The address of the file has expired. A new one is asked for.',
});
const idleMs = 30_000;

/** The token goes only to Meta's hosts, never along a redirect, and nothing is fetched from our own network. */
export function createDownloader(options: { baseUrl: string; timeoutMs: number; fetch?: Fetch }): Downloader {
  const fetch = options.fetch ?? undiciFetch;
  const baseUrl = new URL(options.baseUrl);
  const common = { headersTimeout: options.timeoutMs, bodyTimeout: idleMs };
  const toApi = new Agent(common);
  const toMeta = new Agent({ ...common, connect: { lookup: guardedLookup, timeout: options.timeoutMs } });

  return {
    async download(address, accessToken, { maxBytes }) {
      const url = URL.parse(address);
      if (url === null || !isAllowed(url, baseUrl)) return refusedFailure('The file is not at an address of WhatsApp');

      const dispatcher = url.origin === baseUrl.origin ? toApi : toMeta;
      const headers = { authorization: `Bearer ${accessToken}` };
      try {
        return await receive(await fetch(url, { headers, redirect: 'manual', dispatcher }), maxBytes);
      } catch (error) {
        return repeatableFailure(unknown('connection-lost', error instanceof Error ? error.name : 'unknown'));
      }
    },
    async close() {
      await Promise.all([toApi.destroy(), toMeta.destroy()]);
    },
  };
}

function isAllowed(url: URL, baseUrl: URL): boolean {
  if (!isMediaUrlAllowed(url, baseUrl)) return false;
  return url.origin === baseUrl.origin || !isPrivateLiteral(url.hostname);
}

async function receive(response: Response, maxBytes: number): Promise<CallOutcome<Download>> {
  const failure = refusal(response, maxBytes);
  if (failure !== null || response.body === null) {
    await response.body?.cancel();
    return failure ?? repeatableFailure(unknown('unreadable-answer', 'The file is empty'));
  }
  const content = Readable.fromWeb(response.body);
  return {
    kind: 'ok',
    usage: null,
    value: {
      content: capped(content, maxBytes),
      contentType: response.headers.get('content-type'),
      size: length(response),
    },
  };
}

function refusal(response: Response, maxBytes: number): Failed | null {
  const { status } = response;
  if (status === 200)
    return (length(response) ?? 0) > maxBytes ? refusedFailure(`The file is larger than ${maxBytes} bytes`, 200) : null;
  if (status === 401 || status === 403 || status === 404 || status === 410) return expiredAddress(status);
  if (status < 400) return refusedFailure(`The file was redirected elsewhere (HTTP ${status})`, status);
  return repeatableFailure(unknown('server-error', `HTTP ${status}`));
}

// Every one of these is cured by asking for the address again; a dead token shows itself in that call.
function expiredAddress(httpStatus: number): Failed {
  const error = ownFailure(expired, `HTTP ${httpStatus}`, httpStatus);
  return { kind: 'temporary', error, scope: 'message', retryAfterMs: null, usage: null };
}

function length(response: Response): number | null {
  const header = response.headers.get('content-length');
  return header === null ? null : Number(header);
}

function capped(content: Readable, maxBytes: number): Readable {
  let bytes = 0;
  const limit = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > maxBytes) return done(new MediaTooLargeError(maxBytes));
      return done(null, chunk);
    },
  });
  content.on('error', (error) => limit.destroy(error));
  limit.on('close', () => content.destroy());
  return content.pipe(limit);
}
