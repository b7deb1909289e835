import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Env } from '../env.ts';

/** Everyone comes back at once after a restart: who does not fit into Node's 511 would wait a second and knock again. */
const MAX_KNOCKING = 4_096;

/**
 * Longer than a proxy keeps its connections (nginx 60 s): else a request meets one that is just being closed, and a
 * mutation, which a proxy must not repeat, is answered 502.
 */
const IDLE_CONNECTION_MS = 75_000;

/** Where HOST and PORT cannot be had. */
export class CannotListen extends Error {
  override readonly name = 'CannotListen';
}

const REASONS: Record<string, (env: Env) => string> = {
  EADDRINUSE: ({ port }) => `Port ${port} is in use: stop what listens there, or set PORT to another one.`,
  EACCES: ({ port }) => `Port ${port} is not open to this user: set PORT to one from 1024 on.`,
  EADDRNOTAVAIL: ({ host }) => `HOST ${host} is no address of this machine: set it to one, or to 0.0.0.0 for all.`,
  ENOTFOUND: ({ host }) => `HOST ${host} is not known: set it to an address of this machine, or to 0.0.0.0 for all.`,
};

/** Gives the URL of this very process. */
export async function listen(http: Server, env: Env): Promise<string> {
  // 100 MB over a slow line; whoever sends nothing is cut off by the limits of headers and of the upload itself.
  http.requestTimeout = 10 * 60_000;
  http.headersTimeout = Math.min(10_000, env.requestTimeoutMs);
  http.keepAliveTimeout = IDLE_CONNECTION_MS;
  http.maxHeadersCount = 100;
  const { port } = await new Promise<AddressInfo>((resolve, reject) => {
    http.once('error', (error: NodeJS.ErrnoException) => {
      const reason = REASONS[error.code ?? '']?.(env);
      reject(reason === undefined ? error : new CannotListen(reason, { cause: error }));
    });
    // A TCP server's address is an object.
    http.listen({ port: env.port, host: env.host, backlog: MAX_KNOCKING }, () =>
      resolve(http.address() as AddressInfo),
    );
  });
  return `http://${env.host.includes(':') ? `[${env.host}]` : env.host}:${port}`;
}
