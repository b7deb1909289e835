import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { z } from 'zod';
import { readDevSecrets } from './dev-secrets.ts';

export class EnvError extends Error {
  override readonly name = 'EnvError';

  constructor(problems: readonly string[]) {
    super(`The environment cannot be used:\n${problems.map((problem) => `- ${problem}`).join('\n')}`);
  }
}

const secondsPerDay = 86_400;
/** Of GraphQL, in which some of it is told. */
const MAX_INT = 2 ** 31 - 1;

const flag = (fallback: boolean) =>
  z
    .stringbool({ truthy: ['true', '1'], falsy: ['false', '0'], error: 'must be true, false, 1 or 0' })
    .default(fallback);

const optionalFlag = z
  .stringbool({ truthy: ['true', '1'], falsy: ['false', '0'], error: 'must be true, false, 1 or 0' })
  .optional();

const integer = (fallback: number, min = 1, max = Number.MAX_SAFE_INTEGER) =>
  z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`))
    .default(fallback);

/** Timers of JavaScript that are given more than 24 days go off at once. */
const milliseconds = (fallback: number, min = 1) => integer(fallback, min, secondsPerDay * 1000);

/** What is counted back from now has to stay a date. */
const days = (fallback: number, min = 0) => integer(fallback, min, 36_500);

const oneOf = <const T extends readonly [string, ...string[]]>(...values: T) =>
  z.enum(values, { error: `must be one of ${values.join(', ')}` });

const url = (...schemes: readonly string[]) =>
  z.string().refine((value) => URL.canParse(value) && schemes.includes(new URL(value).protocol), {
    error: `must be a URL that starts with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}`,
  });

const secret = (minLength: number) => z.string().min(minLength, `must have at least ${minLength} characters`);

const encryptionKey = z
  .string()
  .regex(/^[A-Za-z0-9+/]{43}=$/, 'must be 32 bytes in base64 (make one with: openssl rand -base64 32)')
  .transform((value) => Buffer.from(value, 'base64'));

const timeZone = z.string().refine(isTimeZone, 'must be an IANA time zone such as Europe/Prague');

const pattern = z.string().transform((value, context) => {
  try {
    return new RegExp(value, 'u');
  } catch {
    context.addIssue({ code: 'custom', message: 'must be a valid regular expression' });
    return z.NEVER;
  }
});

const network = z.string().refine((entry) => {
  const [address = '', prefix = '0', ...rest] = entry.split('/');
  const bits = isIP(address) === 6 ? 128 : 32;
  return isIP(address) !== 0 && /^\d+$/.test(prefix) && Number(prefix) <= bits && rest.length === 0;
}, 'must be addresses or subnets such as 10.0.0.0/8');

const origin = z.string().refine((value) => URL.canParse(value) && new URL(value).origin === value, {
  error: 'must be origins as browsers send them, such as https://desk.example.com: scheme and host without a path',
});

const list = z.string().transform((value) => value.split(',').flatMap((entry) => entry.trim() || []));

/** As OpenTelemetry writes it: name=value, separated by commas, percent-encoded. */
const pairs = list.transform((entries, context) => {
  const split = entries.map((entry) => /^([^=\s]+)=(.*)$/.exec(entry));
  if (split.includes(null)) context.addIssue({ code: 'custom', message: 'must be name=value, separated by commas' });
  return Object.fromEntries(split.flatMap((found) => (found ? [[found[1], decoded(found[2] ?? '')]] : [])));
});

const share = z
  .string()
  .transform(Number)
  .pipe(z.number('must be a number from 0 to 1').min(0, 'must be at least 0').max(1, 'must be at most 1'));

const settings = z.object({
  NODE_ENV: oneOf('development', 'test', 'production').default('development'),
  HOST: z.string().default('127.0.0.1'),
  PORT: integer(4000, 0, 65_535),
  PUBLIC_URL: url('http:', 'https:').optional(),
  DATABASE_URL: url('postgres:', 'postgresql:').optional(),
  DATABASE_POOL_SIZE: integer(16, 5, 1000),
  REDIS_URL: url('redis:', 'rediss:').optional(),
  DATA_DIR: z
    .string()
    .default('./.data')
    .transform((path) => resolve(path)),
  FILE_STORE: oneOf('disk', 's3').default('disk'),
  S3_BUCKET_URL: url('http:', 'https:').optional(),
  S3_REGION: z.string().default('us-east-1'),
  S3_ACCESS_KEY_ID: z.string().optional(),
  S3_SECRET_ACCESS_KEY: z.string().optional(),
  S3_TIMEOUT_MS: milliseconds(30_000),
  LOG_LEVEL: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent').optional(),
  LOG_FORMAT: oneOf('pretty', 'json').optional(),
  ROLE: oneOf('api', 'worker', 'all').default('all'),
  CHAT_LICENSED: flag(true),
  PRESENCE_SECONDS: integer(60, 2, 3600),
  DEFAULT_TIME_ZONE: timeZone.default('Europe/Prague'),
  JWT_SECRET: secret(32).optional(),
  JWT_JWKS_URL: url('http:', 'https:').optional(),
  JWT_ISSUER: z.string().optional(),
  JWT_AUDIENCE: z.string().optional(),
  JWT_NAME_CLAIM: z.string().default('name'),
  JWT_LOGIN_CLAIM: z.string().default('preferred_username'),
  JWT_PERMISSIONS_CLAIM: z.string().default('permissions'),
  ENCRYPTION_KEY: encryptionKey.optional(),
  ENCRYPTION_KEY_PREVIOUS: encryptionKey.optional(),
  META_APP_SECRET: z.string().optional(),
  META_APP_SECRET_PREVIOUS: z.string().optional(),
  META_ACCESS_TOKEN: z.string().optional(),
  META_WEBHOOK_TOKEN: secret(16).optional(),
  META_API_URL: url('http:', 'https:').default('https://graph.facebook.com'),
  META_API_VERSION: z
    .string()
    .regex(/^v\d+\.\d+$/, 'must look like v25.0')
    .default('v25.0'),
  META_ID_PATTERN: pattern.default(/^[0-9]{15}$/u),
  META_TIMEOUT_MS: milliseconds(15_000),
  META_MESSAGES_PER_SECOND: integer(80),
  SYNC_TEMPLATES_AT_START: flag(true),
  SANDBOX: oneOf('auto', 'on', 'off').default('auto'),
  CORS_ORIGINS: list.pipe(z.array(origin)).default([]),
  TRUSTED_PROXIES: list.pipe(z.array(network)).default([]),
  MIGRATE_AT_START: flag(true),
  METRICS_TOKEN: secret(16).optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: url('http:', 'https:').optional(),
  OTEL_EXPORTER_OTLP_HEADERS: pairs.default({}),
  OTEL_SERVICE_NAME: z.string().default('cdesk-chats'),
  OTEL_TRACES_SAMPLER_ARG: share.default(1),
  REQUEST_TIMEOUT_MS: milliseconds(30_000),
  MAX_COMPLEXITY: integer(5_000),
  RATE_LIMIT_PER_MINUTE: integer(6_000, 0),
  ADDRESS_RATE_LIMIT_PER_MINUTE: integer(30_000, 0),
  WEBHOOK_RATE_LIMIT_PER_SECOND: integer(5_000, 0),
  MAX_SOCKETS_PER_VIEWER: integer(1_000),
  MAX_SOCKETS_PER_ADDRESS: integer(10_000),
  INTROSPECTION: oneOf('everyone', 'administrators', 'off').optional(),
  GRAPHIQL: optionalFlag,
  TRUSTED_DOCUMENTS: z.string().optional(),
  TRUSTED_DOCUMENTS_ONLY: flag(false),
  BEACON_ORDER: oneOf('arrival', 'provider_time').default('arrival'),
  TEMPLATE_CLEARS_BEACON: flag(true),
  SUMMARY_COUNTS_WAIVED: flag(true),
  UNKNOWN_OUTCOME_WAIT_SECONDS: integer(30, 1, MAX_INT),
  UPKEEP_INTERVAL_MS: milliseconds(5_000, 100),
  STREAM_RETENTION_SECONDS: integer(7 * secondsPerDay, 1, MAX_INT),
  STREAM_RETENTION_EVENTS: integer(1_000_000),
  STREAM_PROGRESS_SECONDS: integer(240, 1, 300),
  SLOW_CLIENT_SECONDS: integer(30, 1, secondsPerDay),
  DELIVERY_RETENTION_DAYS: days(30, 1),
  MEDIA_RETENTION_DAYS: days(0),
  MESSAGE_RETENTION_DAYS: days(0),
  AUDIT_RETENTION_DAYS: days(730),
  CONNECTOR_URL: url('http:', 'https:').optional(),
  CONNECTOR_SECRET: secret(32).optional(),
  CONNECTOR_TIMEOUT_MS: milliseconds(10_000),
  SHUTDOWN_GRACE_MS: milliseconds(10_000, 0),
});

/** The names of all settings, so that a test can hold the documentation against them. */
export const settingNames: readonly string[] = Object.keys(settings.shape);

type Settings = z.infer<typeof settings>;
type Camel<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Lowercase<Head>}${Capitalize<Camel<Tail>>}`
  : Lowercase<S>;
type Camelized<T> = { readonly [K in keyof T as Camel<K & string>]: T[K] };
type Defaulted = 'graphiql' | 'introspection' | 'publicUrl' | 'logLevel' | 'logFormat' | 'encryptionKey';

export type Env = Omit<Camelized<Settings>, Defaulted> & {
  readonly [K in Defaulted]: NonNullable<Camelized<Settings>[K]>;
};

export function loadEnv(source: Readonly<Record<string, string | undefined>> = process.env): Env {
  // An empty variable is how compose files and shells say "not set".
  const given = Object.fromEntries(Object.entries(source).filter(([, value]) => value?.trim()));
  const parsed = settings.safeParse(given);
  const issues = parsed.error?.issues ?? [];
  // A setting is named once, however many of its entries are wrong.
  const problems = [...new Set(issues.map(({ path, message }) => `${String(path[0])} ${message}`))];
  if (!given.CONNECTOR_URL !== !given.CONNECTOR_SECRET)
    problems.push('CONNECTOR_URL and CONNECTOR_SECRET must be set together');
  if (parsed.data?.TRUSTED_DOCUMENTS_ONLY && !given.TRUSTED_DOCUMENTS)
    problems.push('TRUSTED_DOCUMENTS must be set where TRUSTED_DOCUMENTS_ONLY is true');
  if (given.NODE_ENV === 'production') problems.push(...missingInProduction(given));
  if (given.FILE_STORE === 's3') problems.push(...missingForS3(given));
  if (!parsed.success || problems.length > 0) throw new EnvError(problems);
  return complete(camelized(parsed.data));
}

function missingInProduction(given: Readonly<Record<string, unknown>>): string[] {
  const problems = ['DATABASE_URL', 'ENCRYPTION_KEY']
    .filter((name) => given[name] === undefined)
    .map((name) => `${name} must be set in production`);
  if (given.JWT_SECRET || given.JWT_JWKS_URL) return problems;
  return [...problems, 'JWT_SECRET or JWT_JWKS_URL must be set in production'];
}

function missingForS3(given: Readonly<Record<string, unknown>>): string[] {
  return ['S3_BUCKET_URL', 'S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY']
    .filter((name) => given[name] === undefined)
    .map((name) => `${name} must be set where FILE_STORE is s3`);
}

function complete(env: Camelized<Settings>): Env {
  const { nodeEnv } = env;
  const secrets = nodeEnv === 'production' ? undefined : readDevSecrets(env.dataDir);
  const key = env.encryptionKey ?? (secrets && Buffer.from(secrets.encryptionKey, 'base64'));
  if (!key) throw new EnvError(['ENCRYPTION_KEY must be set']);
  return {
    ...env,
    publicUrl: (env.publicUrl ?? `http://localhost:${env.port}`).replace(/\/+$/, ''),
    logLevel: env.logLevel ?? (nodeEnv === 'test' ? 'warn' : 'info'),
    logFormat: env.logFormat ?? (nodeEnv === 'development' ? 'pretty' : 'json'),
    introspection: env.introspection ?? (nodeEnv === 'production' ? 'administrators' : 'everyone'),
    graphiql: env.graphiql ?? nodeEnv !== 'production',
    encryptionKey: key,
    // Tokens are checked with one kind of key: a made-up secret beside a key set would let strangers sign.
    jwtSecret: env.jwtSecret ?? (env.jwtJwksUrl ? undefined : secrets?.jwtSecret),
    metaAppSecret: env.metaAppSecret ?? secrets?.appSecret,
    metaWebhookToken: env.metaWebhookToken ?? secrets?.webhookToken,
  };
}

function camelized(data: Settings): Camelized<Settings> {
  const entries = Object.entries(data).map(([name, value]) => [
    name.toLowerCase().replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
    value,
  ]);
  // The type says of every key what the line above does to it.
  return Object.fromEntries(entries) as Camelized<Settings>;
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/** By its IANA name; JavaScript would take an offset such as +05:30, too. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z][\w+\-/]{0,63}$/.test(name)) return false;
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: name }));
  } catch {
    return false;
  }
}
