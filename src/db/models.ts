import type pg from 'pg';
import { Prisma } from '../generated/prisma/client.ts';

// PostgreSQL answers an array of an enum as text that the driver does not take apart.
const ENUM_LISTS: Record<string, readonly string[]> = {
  Operator: ['permissions'],
  ApiToken: ['scopes'],
  ListPreferences: ['searchColumns'],
};

const scalarFields = {
  ApiToken: Prisma.ApiTokenScalarFieldEnum,
  Attachment: Prisma.AttachmentScalarFieldEnum,
  AuditEntry: Prisma.AuditEntryScalarFieldEnum,
  BusinessNumber: Prisma.BusinessNumberScalarFieldEnum,
  Company: Prisma.CompanyScalarFieldEnum,
  Contact: Prisma.ContactScalarFieldEnum,
  Conversation: Prisma.ConversationScalarFieldEnum,
  ListPreferences: Prisma.ListPreferencesScalarFieldEnum,
  DiscussionPost: Prisma.DiscussionPostScalarFieldEnum,
  Message: Prisma.MessageScalarFieldEnum,
  Operator: Prisma.OperatorScalarFieldEnum,
  Participant: Prisma.ParticipantScalarFieldEnum,
  Settings: Prisma.SettingsScalarFieldEnum,
  Template: Prisma.TemplateScalarFieldEnum,
  Request: Prisma.RequestScalarFieldEnum,
  RequestTemplate: Prisma.RequestTemplateScalarFieldEnum,
} as const;

export type LoadedModel = keyof typeof scalarFields;

/** What is wanted of some rows: columns, null for all of them, and what of the rows that they are linked to. */
export type WantedRows = { columns: ReadonlySet<string> | null; linked: ReadonlyMap<string, WantedRows> };

/** `c.last_sequence AS "lastSequence", …`: a whole row in the shape of the generated type. */
export function modelColumns(model: LoadedModel, table: string): string {
  return modelFields(model, null)
    .map((field) => `${columnSql(model, table, field)} AS "${field}"`)
    .join(', ');
}

/** The fields of a row that are wanted; null stands for all. */
export function modelFields(model: LoadedModel, wanted: ReadonlySet<string> | null): string[] {
  const fields = Object.keys(scalarFields[model]);
  return wanted ? fields.filter((field) => wanted.has(field)) : fields;
}

export function columnSql(model: LoadedModel, table: string, field: string): string {
  const isList = ENUM_LISTS[model]?.includes(field) ?? false;
  return `${table}.${snakeCase(field)}${isList ? '::text[]' : ''}`;
}

/** Rows of one table by id, in one named statement whatever their number. */
export async function findByIds<Row extends pg.QueryResultRow>(
  pool: pg.Pool,
  model: LoadedModel,
  ids: readonly string[],
): Promise<Row[]> {
  return (await pool.query<Row>({ ...findStatement(model), values: [ids] })).rows;
}

type Statement = { name: string; text: string };

const findStatements = new Map<LoadedModel, Statement>();

/** Written once for each model: it takes 15 µs, and every event needs three. */
function findStatement(model: LoadedModel): Statement {
  const known = findStatements.get(model);
  if (known) return known;
  const text = `SELECT ${modelColumns(model, 't')} FROM ${snakeCase(model)} t WHERE t.id = ANY($1::uuid[])`;
  const statement = { name: `find-${model}`, text };
  findStatements.set(model, statement);
  return statement;
}

export function snakeCase(name: string): string {
  return name.replace(/(?<=[a-z0-9])[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
}
