import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const clientFiles = globSync('client/*.graphql', { cwd: root }).toSorted();
const inputs = [
  'codegen.ts',
  'schema.graphql',
  ...clientFiles,
  'prisma/schema.prisma',
  'prisma.config.ts',
  'node_modules/prisma/package.json',
  'node_modules/@pothos/plugin-prisma/package.json',
];
const stampFile = `${root}src/generated/stamp`;

// Runs before every start and test, so it must cost nothing when nothing changed (the generator takes 1.5 s). A hash
// and not file times: a checkout gives every file the same time.
if (process.argv.includes('--force') || readStamp() !== inputsStamp()) generate();

function generate(): void {
  rmSync(stampFile, { force: true });
  const { resolve } = createRequire(import.meta.url);
  run(resolve('prisma/build/index.js'), 'generate');
  const codegen = findCodegen(resolve);
  if (codegen) run(codegen, '--config', 'codegen.ts');
  writeFileSync(stampFile, inputsStamp());
}

/** Typed documents are for developing: a production install has no generator for them and needs none. */
function findCodegen(resolve: NodeJS.RequireResolve): string | null {
  try {
    return `${dirname(resolve('@graphql-codegen/cli/package.json'))}/esm/bin.js`;
  } catch {
    return null;
  }
}

function run(program: string, ...args: string[]): void {
  const { status, error, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, PRISMA_HIDE_UPDATE_MESSAGE: '1', CHECKPOINT_DISABLE: '1' },
  });
  if (!error && status === 0) return;
  console.error(error ?? `${stdout}\n${stderr}`);
  process.exit(1);
}

function inputsStamp(): string {
  const hash = createHash('sha256');
  for (const file of inputs) hash.update(readFileSync(root + file));
  return hash.digest('hex');
}

function readStamp(): string | undefined {
  try {
    return readFileSync(stampFile, 'utf8');
  } catch {
    return undefined;
  }
}
