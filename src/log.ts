import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';
import pretty from 'pino-pretty';
import type { Env } from './env.ts';

export type Log = Logger;

const deepest = 6;

// Compared without case and separators, so that one entry covers `phoneNumber`, `phone_number` and `Phone-Number`.
const secretKeys = new Set(
  [
    [
      'authorization',
      'cookie',
      'set-cookie',
      'x-hub-signature',
      'x-hub-signature-256',
      'signature',
      'connectionParams',
    ],
    ['token', 'accessToken', 'refreshToken', 'apiToken', 'webhookToken', 'verifyToken', 'hub.verify_token', 'jwt'],
    ['secret', 'appSecret', 'clientSecret', 'jwtSecret', 'appSecretProof', 'password', 'encryptionKey', 'apiKey'],
    ['databaseUrl', 'redisUrl', 'connectionString'],
    ['phone', 'phoneNumber', 'displayPhoneNumber', 'wa_id', 'from', 'to', 'recipient', 'recipient_id', 'input'],
    ['text', 'body', 'rawBody', 'caption', 'content', 'preview', 'searchText', 'profileName', 'variables', 'detail'],
  ]
    .flat()
    .map(normalized),
);

export function createLog(env: Pick<Env, 'logLevel' | 'logFormat'>, destination?: DestinationStream): Log {
  const options = {
    level: env.logLevel,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    // Not pino's `redact`: its paths have a fixed depth, and what must not leak sits at any.
    formatters: { level: (level: string) => ({ level }), log: redactObject },
    serializers: { err: describeError, error: describeError },
  };
  return env.logFormat === 'pretty' ? pino(options, pretty({ sync: true, destination })) : pino(options, destination);
}

function redactObject(object: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, redactEntry(key, value, 0)]));
}

function redactEntry(key: string, value: unknown, depth: number): unknown {
  if (value === undefined || value === null || typeof value === 'boolean') return value;
  return secretKeys.has(normalized(key)) ? '[redacted]' : redactValue(value, depth + 1);
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Error || value instanceof Date) return value;
  if (depth > deepest) return '[too deep]';
  if (Array.isArray(value)) return value.map((item) => redactValue(item, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redactEntry(key, item, depth)]));
}

// A fixed choice of properties: PostgreSQL's `detail` and an HTTP client's `body` quote what people wrote.
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return redactValue(error, 0);
  const { name, message, stack, cause } = error;
  const code = 'code' in error ? error.code : undefined;
  return { name, message, code, stack, ...(cause === undefined ? {} : { cause: describeError(cause) }) };
}

function normalized(key: string): string {
  return key.toLowerCase().replace(/[^a-z0-9]/g, '');
}
