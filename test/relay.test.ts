import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestServer } from './support/server.ts';
import { transports } from './support/transports.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const compiler = join(root, 'node_modules/relay-compiler/cli.js');

let folder: string;
/** Of every document by its hash. */
let manifest: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cdesk-chats-relay-'));
  manifest = join(folder, 'documents.json');
  await cp(join(root, 'schema.graphql'), join(folder, 'schema.graphql'));
  await cp(join(root, 'test/fixtures/relay'), join(folder, 'src'), { recursive: true });
  await writeFile(manifest, '{}');
  await mkdir(join(folder, 'artifacts'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

it('takes the contract: pages, refetching, changes of a page by a mutation, subscriptions', async () => {
  await compile();
  const documents = Object.values(await readDocuments());

  expect(documents.map((text) => /^\w+ \w+/.exec(text)?.[0]).toSorted()).toEqual([
    'mutation conversationsReplyMutation',
    'query conversationsMessagesQuery',
    'query conversationsPaginationQuery',
    'query conversationsRowQuery',
    'query conversationsScreenQuery',
    'subscription conversationsChangesSubscription',
  ]);
});

it('makes documents that the server takes by their hash, and no others', async () => {
  await using server = await startTestServer({
    settings: { TRUSTED_DOCUMENTS: manifest, TRUSTED_DOCUMENTS_ONLY: 'true' },
  });
  const token = await server.tokenOf('alena');
  const [hash] = Object.entries(await readDocuments()).find(([, text]) => text.includes('ScreenQuery')) ?? [];
  const answer = await transports.http(server, token, { documentId: hash });

  expect(answer.errors).toBeUndefined();
  expect(answer.data).toMatchObject({ conversations: { edges: expect.any(Array), pageInfo: expect.any(Object) } });
});

it('refuses what is no connection', async () => {
  const fragment = 'fragment wrong_list on Query { savedFilters @connection(key: "wrong_savedFilters") { id } }';
  await writeFile(join(folder, 'src/wrong.ts'), `export const Wrong = graphql\`${fragment}\`;`);

  await expect(compile()).rejects.toThrow('@connection');
});

/** As a front end does it, with the documents kept by their hash. */
async function compile(): Promise<void> {
  const config = {
    src: 'src',
    schema: 'schema.graphql',
    language: 'typescript',
    artifactDirectory: 'artifacts',
    persistConfig: { file: 'documents.json', algorithm: 'SHA256' },
  };
  await writeFile(join(folder, 'relay.config.json'), JSON.stringify(config));
  await promisify(execFile)(process.execPath, [compiler, 'relay.config.json'], { cwd: folder });
}

async function readDocuments(): Promise<Record<string, string>> {
  // The compiler writes it.
  return JSON.parse(await readFile(manifest, 'utf8')) as Record<string, string>;
}
