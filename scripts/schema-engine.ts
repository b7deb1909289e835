import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum } from '@prisma/driver-adapter-utils';
import type { SchemaEngine } from '@prisma/schema-engine-wasm';
import pg from 'pg';

interface Glue {
  SchemaEngine: typeof SchemaEngine;
  __wbg_set_wasm(exports: unknown): void;
}

// TypeScript declares it in its browser library only, which would bring `window` and `document` along.
declare const WebAssembly: {
  instantiate(
    program: Uint8Array,
    imports: Record<string, unknown>,
  ): Promise<{ instance: { exports: { __wbindgen_start(): void } } }>;
};

/** The SQL that leads from what is in the database to what the Prisma schema says. */
export async function diffDatabase(url: string, schemaPath: string): Promise<string> {
  const pool = new CatalogPool({ connectionString: url });
  const files = [{ path: schemaPath, content: readFileSync(schemaPath, 'utf8') }];
  const { SchemaEngine } = await loadEngine();
  const engine = await SchemaEngine.new(
    { datamodels: files.map(({ path, content }) => [path, content]) },
    () => undefined,
    bindMigrationAwareSqlAdapterFactory(new CatalogAdapter(pool)),
  );
  const { stdout } = await engine.diff({
    from: { tag: 'schemaDatasource', files, configDir: dirname(schemaPath) },
    to: { tag: 'schemaDatamodel', files },
    script: true,
    exitCode: null,
    filters: { externalTables: ['public._prisma_migrations'], externalEnums: [] },
  });
  await pool.end();
  return stdout ?? '';
}

// The engine of `prisma migrate` as a package: the CLI downloads a native one when it is first used, which fails where
// the network is closed. The package is written for bundlers, so its two halves are put together by hand.
async function loadEngine(): Promise<Glue> {
  const folder = dirname(createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm'));
  const glue: Glue = await import(pathToFileURL(join(folder, 'schema_engine_bg.js')).href);
  const program = readFileSync(join(folder, 'schema_engine_bg.wasm'));
  const { instance } = await WebAssembly.instantiate(program, { './schema_engine_bg.js': glue });
  Object.assign(globalThis, { PRISMA_WASM_PANIC_REGISTRY: { set_message: (text: string) => console.error(text) } });
  glue.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  return glue;
}

const charOid = 18;
const textOid = 25;
const charColumns = new WeakMap<object, number[]>();

// The adapter stops at PostgreSQL's internal type "char", of which the catalogue that the engine reads is full. Here it
// passes as text and is given its name back below.
class CatalogPool extends pg.Pool {
  // The adapter awaits the answer to one object; pg's type lists every other way of calling it, too.
  override query = (async (config: pg.QueryArrayConfig) => {
    const client = await this.connect();
    try {
      const result = await client.query(config);
      const chars = result.fields.flatMap((field, index) => (field.dataTypeID === charOid ? [index] : []));
      for (const index of chars) Object.assign(result.fields[index] ?? {}, { dataTypeID: textOid });
      charColumns.set(result.rows, chars);
      return result;
    } finally {
      client.release();
    }
  }) as unknown as pg.Pool['query'];
}

class CatalogAdapter extends PrismaPg {
  override async connect(): ReturnType<PrismaPg['connect']> {
    const adapter = await super.connect();
    const queryRaw = adapter.queryRaw.bind(adapter);
    adapter.queryRaw = async (query) => {
      const result = await queryRaw(query);
      for (const index of charColumns.get(result.rows) ?? []) result.columnTypes[index] = ColumnTypeEnum.Character;
      return result;
    };
    return adapter;
  }
}
