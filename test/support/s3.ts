import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export const s3Access = { region: 'eu-central-1', accessKeyId: 'AKTEST', secretAccessKey: 'a secret of the test' };

export type S3StandIn = AsyncDisposable & {
  bucketUrl: string;
  objects: Map<string, Buffer>;
  /** Statuses for the next requests, before anything is looked at. */
  failures: number[];
};

/**
 * Stands in for a store that speaks S3. It works out every signature (version 4) and every checksum by itself, from the
 * published description, and refuses what does not agree.
 */
export async function startS3(): Promise<S3StandIn> {
  const objects = new Map<string, Buffer>();
  const failures: number[] = [];

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await buffer(request);
    const failure = failures.shift();
    if (failure) return refuse(response, failure, 'SlowDown');
    if (request.headers.authorization !== authorizationOf(request))
      return refuse(response, 403, 'SignatureDoesNotMatch');
    const key = request.url ?? '';
    if (request.method === 'PUT') {
      if (request.headers['x-amz-content-sha256'] !== createHash('sha256').update(body).digest('hex'))
        return refuse(response, 400, 'XAmzContentSHA256Mismatch');
      objects.set(key, body);
      return void response.writeHead(200).end();
    }
    if (request.method === 'DELETE') {
      objects.delete(key);
      return void response.writeHead(204).end();
    }
    const found = objects.get(key);
    if (!found) return refuse(response, 404, 'NoSuchKey');
    const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    if (start === undefined) return void response.writeHead(200).end(found);
    response.writeHead(206).end(found.subarray(Number(start), Number(end) + 1));
  };

  const server = createServer((request, response) => void serve(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A listening TCP server has an address with a port.
  const { port } = server.address() as AddressInfo;
  return {
    bucketUrl: `http://127.0.0.1:${port}/bucket`,
    objects,
    failures,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html */
function authorizationOf({ method, url, headers }: IncomingMessage): string {
  const stamp = String(headers['x-amz-date']);
  const scope = `${stamp.slice(0, 8)}/${s3Access.region}/s3/aws4_request`;
  const signed = /SignedHeaders=([^,]+)/.exec(headers.authorization ?? '')?.[1] ?? '';
  const lines = signed.split(';').map((name) => `${name}:${String(headers[name]).trim()}\n`);
  const payload = String(headers['x-amz-content-sha256']);
  const canonical = [method, url, '', lines.join(''), signed, payload].join('\n');
  const text = ['AWS4-HMAC-SHA256', stamp, scope, createHash('sha256').update(canonical).digest('hex')].join('\n');
  const key = scope
    .split('/')
    .reduce<Buffer | string>((secret, part) => hmac(secret, part), `AWS4${s3Access.secretAccessKey}`);
  const signature = hmac(key, text).toString('hex');
  return `AWS4-HMAC-SHA256 Credential=${s3Access.accessKeyId}/${scope}, SignedHeaders=${signed}, Signature=${signature}`;
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' });
  response.end(`<?xml version="1.0"?><Error><Code>${code}</Code></Error>`);
}
