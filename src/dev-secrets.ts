import { randomBytes, randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const shape = z.object({
  jwtSecret: z.string(),
  encryptionKey: z.string(),
  appSecret: z.string(),
  webhookToken: z.string(),
});

export type DevSecrets = z.infer<typeof shape>;

export class DevSecretsError extends Error {
  override readonly name = 'DevSecretsError';
}

/** Secrets for a server that was given none: made once, then the same at every start. Never used in production. */
export function readDevSecrets(dataDir: string): DevSecrets {
  const path = join(dataDir, 'secrets.json');
  return read(path) ?? create(dataDir, path);
}

function read(path: string): DevSecrets | undefined {
  try {
    return shape.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw new DevSecretsError(`${path} cannot be read: repair it, or delete it to get new secrets`, { cause: error });
  }
}

function create(dataDir: string, path: string): DevSecrets {
  const draft = `${path}.${randomUUID()}`;
  try {
    mkdirSync(dataDir, { recursive: true });
    writeFileSync(draft, `${JSON.stringify(makeSecrets(), null, 2)}\n`, { mode: 0o600 });
  } catch (error) {
    throw new DevSecretsError(`The folder ${dataDir} is not writable: set DATA_DIR to one that is`, { cause: error });
  }
  try {
    // A link either makes the whole file appear or fails: of two servers that start together, both use the first's.
    linkSync(draft, path);
  } catch {
    // Somebody was faster; the read below decides.
  } finally {
    rmSync(draft);
  }
  return shape.parse(JSON.parse(readFileSync(path, 'utf8')));
}

function makeSecrets(): DevSecrets {
  return {
    jwtSecret: randomBytes(32).toString('base64url'),
    encryptionKey: randomBytes(32).toString('base64'),
    appSecret: randomBytes(16).toString('hex'),
    webhookToken: randomBytes(16).toString('base64url'),
  };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
