import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { EnvError, loadEnv, settingNames } from '../src/env.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'cdesk-env-'));
afterAll(() => rmSync(dataDir, { recursive: true }));

const production = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgres://localhost/cdesk',
  ENCRYPTION_KEY: randomBytes(32).toString('base64'),
  JWT_SECRET: 's'.repeat(32),
};

describe('loadEnv', () => {
  it('has a default for everything in development', () => {
    const env = loadEnv({ DATA_DIR: dataDir });

    expect(env).toMatchObject({ nodeEnv: 'development', port: 4000, publicUrl: 'http://localhost:4000', role: 'all' });
    expect(env).toMatchObject({ logLevel: 'info', logFormat: 'pretty', corsOrigins: [], chatLicensed: true });
    expect(env.encryptionKey).toHaveLength(32);
  });

  it('keeps the secrets of development, readable by their owner alone', () => {
    const first = loadEnv({ DATA_DIR: dataDir });
    const second = loadEnv({ DATA_DIR: dataDir });

    expect(second).toEqual(first);
    expect(statSync(join(dataDir, 'secrets.json')).mode & 0o777).toBe(0o600);
  });

  it('makes up no secret in production', () => {
    expect(() => loadEnv({ NODE_ENV: 'production' })).toThrow(
      /DATABASE_URL must be set[^]*ENCRYPTION_KEY must be set[^]*JWT_SECRET or JWT_JWKS_URL must be set/,
    );
    expect(loadEnv(production)).toMatchObject({ metaAppSecret: undefined, metaWebhookToken: undefined });
  });

  it('does not make up a token secret beside a key set', () => {
    const env = loadEnv({ DATA_DIR: dataDir, JWT_JWKS_URL: 'https://id.example.com/keys' });

    expect(env.jwtSecret).toBeUndefined();
  });

  it('reports every problem in one message', () => {
    const load = () =>
      loadEnv({ ...production, PORT: '99999', META_ID_PATTERN: '(', ROLE: 'queen', LOG_LEVEL: 'loud' });

    expect(load).toThrow(EnvError);
    for (const name of ['PORT', 'META_ID_PATTERN', 'ROLE', 'LOG_LEVEL']) expect(load).toThrow(`- ${name} must be`);
  });

  it('never repeats a value, which may be a secret', () => {
    expect(() => loadEnv({ ...production, ENCRYPTION_KEY: 'hunter2' })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
    );
  });

  it.each([
    ['true', true],
    ['1', true],
    ['false', false],
    ['0', false],
    ['', true],
  ])('reads CHAT_LICENSED=%j as %j', (value, expected) => {
    expect(loadEnv({ ...production, CHAT_LICENSED: value }).chatLicensed).toBe(expected);
  });

  it('reads lists', () => {
    const env = loadEnv({ ...production, CORS_ORIGINS: 'https://a.example, https://b.example,' });

    expect(env.corsOrigins).toEqual(['https://a.example', 'https://b.example']);
  });

  it.each(['Mars/Phobos', '+05:30', '-05'])('takes no zone %s', (zone) => {
    expect(() => loadEnv({ ...production, DEFAULT_TIME_ZONE: zone })).toThrow('- DEFAULT_TIME_ZONE must be an IANA');
  });

  it.each(['localhost:3000', 'https://a.example/', 'https://a.example/chat', '*', 'https://A.example'])(
    'takes no origin %s, which no browser sends',
    (origin) => {
      const load = () => loadEnv({ ...production, CORS_ORIGINS: `https://b.example, ${origin}, ${origin}` });

      expect(load).toThrow(/:\n- CORS_ORIGINS must be origins .+$/);
    },
  );

  it.each([
    ['REQUEST_TIMEOUT_MS', '3000000000', 'at most 86400000'],
    ['SHUTDOWN_GRACE_MS', '86400001', 'at most 86400000'],
    ['SLOW_CLIENT_SECONDS', '2147484', 'at most 86400'],
    ['MESSAGE_RETENTION_DAYS', '99999999999', 'at most 36500'],
    ['STREAM_RETENTION_SECONDS', '99999999999999', 'at most 2147483647'],
  ])('takes no %s of %s, of which nothing can be made that holds', (name, value, why) => {
    expect(() => loadEnv({ ...production, [name]: value })).toThrow(`- ${name} must be ${why}`);
  });

  it('wants to know the documents where no others are run', () => {
    expect(() => loadEnv({ ...production, TRUSTED_DOCUMENTS_ONLY: 'true' })).toThrow('- TRUSTED_DOCUMENTS must be set');
    expect(loadEnv({ ...production, TRUSTED_DOCUMENTS_ONLY: 'false' }).trustedDocumentsOnly).toBe(false);
  });

  it('names a list, not its entries', () => {
    expect(() => loadEnv({ ...production, TRUSTED_PROXIES: 'nonsense, 10.0.0.0/8, more' })).toThrow(
      /:\n- TRUSTED_PROXIES must be addresses or subnets such as 10\.0\.0\.0\/8$/,
    );
  });

  it('has every setting in .env.example', () => {
    const example = readFileSync(new URL('../.env.example', import.meta.url), 'utf8');
    const documented = [...example.matchAll(/^# ?([A-Z0-9_]+)=/gm)].map(([, name]) => name);

    expect(documented.toSorted()).toEqual([...settingNames].toSorted());
  });
});
