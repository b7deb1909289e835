import DataLoader from 'dataloader';
import type pg from 'pg';
import type { Viewer } from '../auth.ts';
import type { Database } from '../db/database.ts';
import { findByIds, type LoadedModel } from '../db/models.ts';
import type {
  Attachment,
  BusinessNumber,
  Company,
  Contact,
  Conversation,
  Message,
  Operator,
  Participant,
  Reaction,
  RequestTemplate,
  StatusEntry,
  Template,
} from '../generated/prisma/client.ts';
import { grouped, lazily, type Makers } from './loading.ts';
import {
  requestLoaders,
  visibleRequestLoaders,
  type RequestLoaders,
  type VisibleRequestLoaders,
} from './request-loaders.ts';

/** One statement per kind of thing for everything that an operation asks for. Made anew for each operation and event. */
export type Loaders = SharedLoaders & VisibleRequestLoaders;

/** What is the same for every viewer, so that one event is loaded once for all who follow it. */
export type SharedLoaders = RequestLoaders & {
  attachment: DataLoader<string, Attachment | null>;
  businessNumber: DataLoader<string, BusinessNumber | null>;
  company: DataLoader<string, Company | null>;
  contact: DataLoader<string, Contact | null>;
  conversation: DataLoader<string, Conversation | null>;
  message: DataLoader<string, Message | null>;
  /** By Meta's id. */
  messageByProviderId: DataLoader<string, Message | null>;
  operator: DataLoader<string, Operator | null>;
  participant: DataLoader<string, Participant | null>;
  template: DataLoader<string, Template | null>;
  requestTemplate: DataLoader<string, RequestTemplate | null>;
  attachmentsOf: DataLoader<string, Attachment[]>;
  reactionsOf: DataLoader<string, Reaction[]>;
  statusesOf: DataLoader<string, StatusEntry[]>;
};

const sharedLoaders: Makers<SharedLoaders, Database> = {
  ...requestLoaders,
  attachment: ({ pool }) => byId<Attachment>(pool, 'Attachment'),
  businessNumber: ({ pool }) => byId<BusinessNumber>(pool, 'BusinessNumber'),
  company: ({ pool }) => byId<Company>(pool, 'Company'),
  contact: ({ pool }) => byId<Contact>(pool, 'Contact'),
  conversation: ({ pool }) => surviving<Conversation>(pool, 'Conversation'),
  message: ({ pool }) => byId<Message>(pool, 'Message'),
  messageByProviderId: ({ prisma }) =>
    new DataLoader(async (ids) => {
      const rows = await prisma.message.findMany({ where: { providerId: { in: [...ids] } } });
      const found = new Map(rows.map((row) => [row.providerId, row]));
      return ids.map((id) => found.get(id) ?? null);
    }),
  operator: ({ pool }) => byId<Operator>(pool, 'Operator'),
  participant: ({ pool }) => surviving<Participant>(pool, 'Participant'),
  template: ({ pool }) => byId<Template>(pool, 'Template'),
  requestTemplate: ({ pool }) => byId<RequestTemplate>(pool, 'RequestTemplate'),
  attachmentsOf: ({ prisma }) =>
    grouped(
      (ids) => prisma.attachment.findMany({ where: { messageId: { in: ids } }, orderBy: { id: 'asc' } }),
      (row) => row.messageId,
    ),
  reactionsOf: ({ prisma }) =>
    grouped(
      (ids) => prisma.reaction.findMany({ where: { messageId: { in: ids }, emoji: { not: null } } }),
      (row) => row.messageId,
    ),
  statusesOf: ({ prisma }) =>
    grouped(
      (ids) => prisma.statusEntry.findMany({ where: { messageId: { in: ids } } }),
      (row) => row.messageId,
    ),
};

const createSharedLoaders = lazily(sharedLoaders);

type Source = { db: Database; viewer: Viewer | null; shared: SharedLoaders };

const createOwnLoaders = lazily<Loaders, Source>({
  ...visibleRequestLoaders,
  ...takenFromShared(),
});

export function createLoaders(db: Database, viewer: Viewer | null, shared = createSharedLoaders(db)): Loaders {
  return createOwnLoaders({ db, viewer, shared });
}

/** Each where it is asked for. */
function takenFromShared(): Makers<SharedLoaders, Source> {
  const names = Object.keys(sharedLoaders) as (keyof SharedLoaders)[];
  const makers = names.map((name) => [name, ({ shared }: Source) => shared[name]]);
  return Object.fromEntries(makers) as Makers<SharedLoaders, Source>;
}

/** What was merged into another is found there, also by its old id. */
function surviving<Row extends pg.QueryResultRow & { id: string; mergedIntoId: string | null }>(
  pool: pg.Pool,
  model: LoadedModel,
): DataLoader<string, Row | null> {
  return new DataLoader(async (ids) => {
    const rows = await findByIds<Row>(pool, model, ids);
    const heirs = rows.flatMap((row) => row.mergedIntoId ?? []);
    const known = new Map(rows.map((row) => [row.id, row]));
    if (heirs.length > 0) for (const row of await findByIds<Row>(pool, model, heirs)) known.set(row.id, row);
    return ids.map((id) => known.get(known.get(id)?.mergedIntoId ?? id) ?? null);
  });
}

function byId<Row extends pg.QueryResultRow & { id: string }>(
  pool: pg.Pool,
  model: LoadedModel,
): DataLoader<string, Row | null> {
  return new DataLoader(async (ids) => {
    const rows = await findByIds<Row>(pool, model, ids);
    const byId = new Map(rows.map((row) => [row.id, row]));
    return ids.map((id) => byId.get(id) ?? null);
  });
}
