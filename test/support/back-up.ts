import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { runSql } from './database.ts';
import { databaseUrl } from './postgres.ts';

const run = promisify(execFile);

export type BackUp = AsyncDisposable & {
  /** Puts it in the place of what is there; nobody may be connected. */
  restore(): Promise<void>;
};

/** With pg_dump and pg_restore where they are as new as the server, else a copy that PostgreSQL makes itself. */
export async function backUp(url: string): Promise<BackUp> {
  const [server] = await runSql<{ major: number }>(
    url,
    "SELECT current_setting('server_version_num')::integer / 10000 AS major",
  );
  return (await majorOfTools()) >= (server?.major ?? 0) ? dump(url) : copy(url);
}

async function majorOfTools(): Promise<number> {
  const told = await run('pg_dump', ['--version']).catch(() => ({ stdout: '' }));
  return Number(/\) (\d+)/.exec(told.stdout)?.[1] ?? 0);
}

async function dump(url: string): Promise<BackUp> {
  const folder = await mkdtemp(join(tmpdir(), 'cdesk-chats-back-up-'));
  const file = join(folder, 'back-up.dump');
  await run('pg_dump', ['--format=custom', `--file=${file}`, url]);
  return {
    async restore() {
      await replace(url, (name) => `CREATE DATABASE ${name} TEMPLATE template0`);
      await run('pg_restore', ['--exit-on-error', '--no-owner', `--dbname=${url}`, file]);
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

async function copy(url: string): Promise<BackUp> {
  const kept = `${nameOf(url)}_kept`;
  await runSql(adminOf(url), `CREATE DATABASE ${kept} TEMPLATE ${nameOf(url)} STRATEGY FILE_COPY`);
  return {
    restore: () => replace(url, (name) => `CREATE DATABASE ${name} TEMPLATE ${kept} STRATEGY FILE_COPY`),
    async [Symbol.asyncDispose]() {
      await runSql(adminOf(url), `DROP DATABASE IF EXISTS ${kept} WITH (FORCE)`);
    },
  };
}

async function replace(url: string, create: (name: string) => string): Promise<void> {
  await runSql(adminOf(url), `DROP DATABASE ${nameOf(url)}`);
  await runSql(adminOf(url), create(nameOf(url)));
}

function nameOf(url: string): string {
  return new URL(url).pathname.slice(1);
}

function adminOf(url: string): string {
  return databaseUrl(url, 'postgres');
}
