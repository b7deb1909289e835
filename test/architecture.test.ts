import { globSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const everything = ['*'];

/** Who may import whom: a folder of src/ or a file directly in it. Anybody may use `errors`, `log` and `generated`. */
const mayImport: Record<string, readonly string[]> = {
  main: ['env', 'dev-secrets', 'server', 'db', 'welcome'],
  server: everything,
  welcome: ['env', 'server', 'demo-data', 'sign-in', 'transport', 'webhooks'],
  'demo-data': ['env', 'auth', 'db', 'services', 'demo-requests'],
  'demo-requests': ['db', 'services'],
  'own-sandbox': ['env', 'demo-data', 'sandbox', 'services'],
  'sign-in': ['env'],
  'request-connector': ['env', 'db', 'services', 'connector', 'jobs', 'tracing'],
  rules: ['env', 'meta', 'services'],
  'connection-check': ['meta', 'services'],
  auth: ['env', 'log-in', 'db', 'services'],
  'log-in': ['env', 'db'],
  ticket: ['services'],
  presence: ['auth', 'db', 'services'],
  context: ['env', 'auth', 'db', 'events', 'presence', 'files', 'services', 'schema'],
  schema: ['services', 'db', 'events', 'presence', 'files', 'context', 'auth', 'env'],
  execution: ['context', 'auth', 'db', 'env', 'tracing'],
  transport: ['execution', 'events', 'files', 'context', 'auth', 'ticket', 'env'],
  http: ['db', 'env', 'files'],
  metrics: ['db', 'http'],
  tracing: ['db', 'env', 'http'],
  // Bytes and links to them: whoever takes a file in or gives one out.
  files: ['env'],
  webhooks: ['services', 'db', 'events', 'env', 'tracing'],
  jobs: ['services', 'meta', 'connector', 'db', 'events', 'files', 'env', 'tracing'],
  connector: ['services', 'webhooks', 'db', 'env'],
  services: ['db', 'env'],
  events: ['db', 'env', 'auth', 'log-in', 'context', 'execution', 'tracing'],
  meta: ['env', 'tracing'],
  sandbox: ['env'],
  db: ['env'],
  env: ['dev-secrets'],
  'dev-secrets': [],
  log: ['env'],
  errors: [],
  generated: everything,
};

const forEverybody = ['errors', 'log', 'generated'];

/** Packages that a part must not know: a rule that knows GraphQL or Redis cannot be used by a job or a script. */
const forbiddenPackages: Record<string, RegExp> = {
  services: /^(graphql|graphql-.+|@pothos\/.+|@graphql-.+|ws|ioredis|undici|busboy|node:http)$/,
  db: /^(graphql|graphql-.+|@pothos\/.+|@graphql-.+|ws|ioredis|undici|busboy|node:http)$/,
  schema: /^(ws|ioredis|undici|busboy|node:http)$/,
  events: /^(@pothos\/.+|undici|busboy)$/,
};

const src = fileURLToPath(new URL('../src', import.meta.url));
const files = globSync('**/*.ts', { cwd: src, exclude: ['generated/**'] });
const imports = files.flatMap((file) => readImports(file).map((name) => ({ file, part: partOf(file), name })));

it('knows every part of src', () => {
  expect(files.map(partOf).filter((part) => !(part in mayImport))).toEqual([]);
});

it('lets every part import only the parts that it may', () => {
  const violations = imports
    .filter(({ name }) => name.startsWith('.'))
    .map(({ file, part, name }) => ({ file, part, target: localPath(file, name) }))
    .filter(({ part, target }) => !isAllowed(part, partOf(target)));

  expect(violations.map(({ file, target }) => `${file} imports ${target}`)).toEqual([]);
});

it('keeps packages out of the parts that must not know them', () => {
  const violations = imports.filter(({ part, name }) => forbiddenPackages[part]?.test(name));

  expect(violations.map(({ file, name }) => `${file} imports ${name}`)).toEqual([]);
});

function isAllowed(part: string, target: string): boolean {
  const allowed = [part, ...forEverybody, ...(mayImport[part] ?? [])];
  return allowed.includes('*') || allowed.includes(target);
}

function readImports(file: string): string[] {
  const source = readFileSync(resolve(src, file), 'utf8');
  return [...source.matchAll(/^(?:import|export)\b[^;]*?from '([^']+)'|\bimport\('([^']+)'\)/gm)].flatMap(
    ([, named, dynamic]) => named ?? dynamic ?? [],
  );
}

function localPath(file: string, name: string): string {
  return relative(src, resolve(src, dirname(file), name));
}

function partOf(path: string): string {
  return path.split('/')[0]?.replace(/\.ts$/, '') ?? '';
}
