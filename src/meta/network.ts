import { neverSent, unknown } from './outcome.ts';
import type { Failed, Unknown } from './outcome.ts';

/** The request cannot have left: no name, no connection, or no trust in the other side. */
const neverSentCodes = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'EMFILE',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'ERR_SSL_WRONG_VERSION_NUMBER',
  'ERR_SSL_PACKET_LENGTH_TOO_LONG',
]);
const timeoutCodes = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'TimeoutError', 'AbortError']);

/** Only what provably did not leave may be repeated; every other failure of the network leaves us in the dark. */
export function networkFailure(thrown: unknown, secrets: readonly string[]): Failed | Unknown {
  const error = rootCause(thrown);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  if (neverSentCodes.has(code) || isWhileConnecting(error)) return neverSent(code, secrets);
  if (timeoutCodes.has(code)) return unknown('timeout', 'No answer in time');
  return unknown('connection-lost', code);
}

// The same code stands for a connection that is cut before, during and after the request.
function isWhileConnecting(error: Error): boolean {
  if ('syscall' in error && error.syscall === 'connect') return true;
  return error.message.includes('before secure TLS connection was established');
}

// fetch hides the reason one level down, and a failed connection to several addresses one more.
function rootCause(thrown: unknown): Error {
  if (!(thrown instanceof Error)) return new Error('unknown');
  const inner: unknown = thrown.cause instanceof AggregateError ? thrown.cause.errors[0] : thrown.cause;
  return inner instanceof Error ? rootCause(inner) : thrown;
}
