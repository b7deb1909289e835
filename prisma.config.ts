import { defineConfig } from 'prisma/config';

// `generate` needs no schema engine, but the CLI stops when it cannot download one; any existing program will do.
process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath;

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
});
