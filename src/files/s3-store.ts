import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { AwsV4Signer } from 'aws4fetch';
import { Agent, fetch, type RequestInit, type Response } from 'undici';
import type { Storage } from './file-store.ts';

export type S3Options = {
  /** Address of the bucket in either spelling: https://bucket.s3.example.com or https://s3.example.com/bucket. */
  bucketUrl: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
  timeoutMs: number;
};

/** The store refused or did not answer; carries its code, never what was signed. */
export class S3Error extends Error {
  override readonly name = 'S3Error';

  constructor(method: string, status: number, code: string) {
    super(`The file store answered ${method} with HTTP ${status} ${code}`.trim());
  }
}

type Call = { method: 'GET' | 'PUT' | 'DELETE'; headers?: Record<string, string>; body?: () => Readable };

const UNSIGNED = 'UNSIGNED-PAYLOAD';
const MAX_ATTEMPTS = 3;
const PAUSE_MS = 200;

/** Any store that speaks S3 with signature version 4. */
export function createS3Store(options: S3Options): Storage {
  const dispatcher = new Agent({ headersTimeout: options.timeoutMs, bodyTimeout: options.timeoutMs });

  return {
    async put(key, file) {
      const headers = { 'content-length': String(file.size), 'x-amz-content-sha256': file.sha256 };
      // A file without bytes has no stream: its length would be announced and never sent.
      const body = file.size > 0 ? { body: () => createReadStream(file.path) } : {};
      await drop(await call(key, { method: 'PUT', headers, ...body }));
    },
    async open(key, range) {
      const headers: Record<string, string> = range ? { range: `bytes=${range.start}-${range.end}` } : {};
      const response = await call(key, { method: 'GET', headers });
      if (response.status === 404) return drop(response);
      return response.body ? Readable.fromWeb(response.body) : Readable.from([]);
    },
    async remove(key) {
      await drop(await call(key, { method: 'DELETE' }));
    },
  };

  /** Everything here may be repeated. 404 is an answer, except where something was to be stored. */
  async function call(key: string, request: Call): Promise<Response> {
    for (let attempt = 1; ; attempt++) {
      const response = await send(key, request).catch((error: unknown) => {
        if (attempt >= MAX_ATTEMPTS) throw error;
        return null;
      });
      if (response?.ok || (response?.status === 404 && request.method !== 'PUT')) return response;
      if (response && (response.status < 500 || attempt >= MAX_ATTEMPTS)) {
        throw new S3Error(request.method, response.status, codeOf(await response.text()));
      }
      await sleep(PAUSE_MS * attempt);
    }
  }

  async function send(key: string, { method, headers, body }: Call): Promise<Response> {
    const signer = new AwsV4Signer({
      method,
      url: `${options.bucketUrl.replace(/\/+$/, '')}/${key}`,
      headers: { 'x-amz-content-sha256': UNSIGNED, ...headers },
      service: 's3',
      region: options.region,
      accessKeyId: options.accessKeyId,
      secretAccessKey: options.secretAccessKey,
    });
    const signed = await signer.sign();
    const init: RequestInit = { method, headers: [...signed.headers], redirect: 'manual', dispatcher };
    return fetch(signed.url, body ? { ...init, body: body(), duplex: 'half' } : init);
  }
}

/** Lets the connection go back to the pool. */
async function drop(response: Response): Promise<null> {
  await response.body?.cancel();
  return null;
}

function codeOf(xml: string): string {
  return /<Code>(\w+)<\/Code>/.exec(xml)?.[1] ?? '';
}
