import { readFileSync } from 'node:fs';
import { CriticalityLevel, diff } from '@graphql-inspector/core';
import { buildSchema } from 'graphql';

// schema.released.graphql is what clients in the field were built against; a release copies schema.graphql there.
const read = (name: string) => buildSchema(readFileSync(new URL(`../${name}`, import.meta.url), 'utf8'));
const changes = await diff(read('schema.released.graphql'), read('schema.graphql'));
const breaking = changes.filter(({ criticality }) => criticality.level === CriticalityLevel.Breaking);
for (const { message } of breaking) console.error(`breaks clients: ${message}`);
console.log(`${changes.length} changes since the last release, ${breaking.length} of them break clients`);
process.exitCode = breaking.length > 0 ? 1 : 0;
