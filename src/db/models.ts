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

/** `c.last_sequence AS "lastSequence", …`: a whole row in the shape of the generated type. */
export function modelColumns(model: LoadedModel, table: string): string {
  const lists = ENUM_LISTS[model] ?? [];
  return Object.keys(scalarFields[model])
    .map((field) => `${table}.${snakeCase(field)}${lists.includes(field) ? '::text[]' : ''} AS "${field}"`)
    .join(', ');
}

/** Rows of one table by id, in one named statement whatever their number. */
export async function findByIds<Row extends pg.QueryResultRow>(
  pool: pg.Pool,
  model: LoadedModel,
  ids: readonly string[],
): Promise<Row[]> {
  const name = `find-${model}`;
  const text = `SELECT ${modelColumns(model, 't')} FROM ${snakeCase(model)} t WHERE t.id = ANY($1::uuid[])`;
  return (await pool.query<Row>({ name, text, values: [ids] })).rows;
}

export function snakeCase(name: string): string {
  return name.replace(/(?<=[a-z0-9])[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
}
