import { spawn, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:http';
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestDatabase } from './support/database.ts';
import { sharedSettings } from './support/process.ts';
import { makeFolder } from './support/folder.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const main = join(root, 'src/main.ts');

let folder: string;

beforeAll(async () => {
  folder = await makeFolder('cdesk-chats-start-');
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a start that cannot succeed ends with code 1 and says why:', () => {
  it('a folder that cannot be written', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');

    expect(await start({ DATA_DIR: join(file, 'data') })).toEqual({
      code: 1,
      output: `The folder ${join(file, 'data')} is not writable: set DATA_DIR to one that is\n`,
    });
  });

  it('a database that does not answer, without its password', async () => {
    const url = 'postgres://chats:hunter2@127.0.0.1:1/chats';

    expect(await start({ DATA_DIR: folder, DATABASE_URL: url })).toEqual({
      code: 1,
      output:
        'The database chats at 127.0.0.1:1 cannot be reached (connect ECONNREFUSED 127.0.0.1:1): check DATABASE_URL.\n',
    });
  });

  it('a database that was not migrated, where that is a command of its own', async () => {
    await using database = await createTestDatabase();
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
    await client.end();

    expect(await start({ DATA_DIR: folder, DATABASE_URL: database.url, MIGRATE_AT_START: 'false' })).toEqual({
      code: 1,
      output: expect.stringMatching(/^Migrations are missing: \w+, .*\. Run npm run db:migrate first\.\n$/),
    });
  });

  it('a port in use', async () => {
    await using database = await createTestDatabase();
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    // A TCP server's address is an object.
    const { port } = taken.address() as AddressInfo;

    const ended = await start({ DATA_DIR: folder, DATABASE_URL: database.url, PORT: String(port) });

    taken.close();
    expect(ended).toEqual({
      code: 1,
      output: `Port ${port} is in use: stop what listens there, or set PORT to another one.\n`,
    });
  });

  it.each([
    ['an address of another machine', '192.0.2.1', 'HOST 192.0.2.1 is no address of this machine: '],
    ['a name that is none', 'nowhere.invalid', 'HOST nowhere.invalid is not known: '],
  ])('%s', async (_what, HOST, sentence) => {
    await using database = await createTestDatabase();

    const ended = await start({ DATA_DIR: folder, DATABASE_URL: database.url, PORT: '0', HOST });

    expect(ended).toEqual({ code: 1, output: expect.stringMatching(new RegExp(`^${sentence}.+\n$`)) });
  });

  it('every wrong setting at once', async () => {
    expect(await start({ DATA_DIR: folder, PORT: 'http', ROLE: 'queen' })).toEqual({
      code: 1,
      output: expect.stringMatching(/^The environment cannot be used:\n- PORT .+\n- ROLE .+\n$/),
    });
  });
});

it('a stop in the midst of a start leaves no PostgreSQL behind', async () => {
  const child = spawnMain({ DATA_DIR: join(folder, 'stopped'), PORT: '0', LOG_LEVEL: 'debug', LOG_FORMAT: 'json' });
  const ended = endOf(child);
  const cluster = await new Promise<string>((resolve) => {
    createInterface(child.stdout).on('line', (line) => {
      const { msg, folder: clusterDir } = JSON.parse(line);
      if (msg === 'Embedded PostgreSQL is ready') resolve(clusterDir);
    });
  });
  const runs = () => existsSync(join(cluster, 'postmaster.pid'));
  expect(runs()).toBe(true);
  child.kill('SIGTERM');

  expect(await ended).toBe(0);
  expect(runs()).toBe(false);
});

it('`npm start` hands on the signal to stop, as supervisors send it to npm', async () => {
  await using database = await createTestDatabase();
  const env = { PATH: process.env.PATH, ...sharedSettings, DATABASE_URL: database.url, PORT: '0', LOG_FORMAT: 'json' };
  const child = spawn('npm', ['start', '--ignore-scripts'], { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = endOf(child);
  const told: string[] = [];
  await new Promise<void>((resolve) => {
    createInterface(child.stdout).on('line', (line) => {
      told.push(line);
      if (line.includes('"msg":"listening"')) resolve();
    });
  });
  child.kill('SIGTERM');

  // Its output ends when the server does, which is npm's child.
  await ended;
  expect(told).toContainEqual(expect.stringContaining('"msg":"stopping"'));
});

async function start(settings: Record<string, string>): Promise<{ code: number | null; output: string }> {
  const child = spawnMain({ LOG_LEVEL: 'fatal', ...settings });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return { code: await endOf(child), output };
}

function spawnMain(settings: Record<string, string>) {
  return spawn(process.execPath, [main], {
    env: { PATH: process.env.PATH, ...sharedSettings, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function endOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once('close', resolve));
}
