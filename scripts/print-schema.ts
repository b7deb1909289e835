import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { lexicographicSortSchema, printSchema } from 'graphql';
import { schema } from '../src/schema/schema.ts';

const path = fileURLToPath(new URL('../schema.graphql', import.meta.url));
const sdl = `${printSchema(lexicographicSortSchema(schema))}\n`;

if (!process.argv.includes('--check')) {
  writeFileSync(path, sdl);
} else if (readFileSync(path, 'utf8') !== sdl) {
  console.error('schema.graphql is not what the code says: run `npm run schema` and look at the difference');
  process.exitCode = 1;
}
