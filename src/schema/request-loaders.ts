import type DataLoader from 'dataloader';
import type { Viewer } from '../auth.ts';
import type { Database } from '../db/database.ts';
import type {
  Attachment,
  Contact,
  MessageRequestLink,
  Request,
  RequestStatus,
  Tag,
} from '../generated/prisma/client.ts';
import { byRow, grouped, groupedValues, type Makers } from './loading.ts';
import { requestsSeenBy } from './request-access.ts';

/** Only requests that the viewer may see come out: nobody else's. */
export type VisibleRequestLoaders = {
  request: DataLoader<string, Request | null>;
  linksOf: DataLoader<string, MessageRequestLink[]>;
};

/** What belongs to requests, whoever asks. */
export type RequestLoaders = {
  requestStatus: DataLoader<string, RequestStatus | null>;
  tagsOf: DataLoader<string, Tag[]>;
  filesOfRequest: DataLoader<string, Attachment[]>;
  filesOfPost: DataLoader<string, Attachment[]>;
  /** Contacts by the comparison key of their number. */
  contactsWith: DataLoader<string, Contact[]>;
};

export const visibleRequestLoaders: Makers<VisibleRequestLoaders, { db: Database; viewer: Viewer | null }> = {
  request: ({ db, viewer }) =>
    byRow(
      (ids) => db.prisma.request.findMany({ where: { AND: [{ id: { in: ids } }, requestsSeenBy(viewer)] } }),
      (row) => row.id,
    ),
  linksOf: ({ db, viewer }) =>
    grouped(
      (ids) =>
        db.prisma.messageRequestLink.findMany({
          where: { messageId: { in: ids }, request: requestsSeenBy(viewer) },
          orderBy: [{ linkedAt: 'asc' }, { requestId: 'asc' }],
        }),
      (row) => row.messageId,
    ),
};

export const requestLoaders: Makers<RequestLoaders, Database> = {
  requestStatus: ({ prisma }) =>
    byRow(
      (keys) => prisma.requestStatus.findMany({ where: { key: { in: keys } } }),
      (row) => row.key,
    ),
  tagsOf: ({ prisma }) =>
    groupedValues(
      (ids) =>
        prisma.requestTag.findMany({
          where: { requestId: { in: ids } },
          include: { tag: true },
          orderBy: { tag: { name: 'asc' } },
        }),
      (row) => row.requestId,
      (row) => row.tag,
    ),
  filesOfRequest: ({ prisma }) =>
    groupedValues(
      (ids) =>
        prisma.requestAttachment.findMany({
          where: { requestId: { in: ids } },
          include: { attachment: true },
          orderBy: [{ addedAt: 'asc' }, { attachmentId: 'asc' }],
        }),
      (row) => row.requestId,
      (row) => row.attachment,
    ),
  filesOfPost: ({ prisma }) =>
    groupedValues(
      (ids) =>
        prisma.discussionAttachment.findMany({
          where: { postId: { in: ids } },
          include: { attachment: true },
          orderBy: { attachmentId: 'asc' },
        }),
      (row) => row.postId,
      (row) => row.attachment,
    ),
  contactsWith: ({ prisma }) =>
    grouped(
      (keys) => prisma.contact.findMany({ where: { comparisonKey: { in: keys } }, orderBy: { id: 'asc' } }),
      (row) => row.comparisonKey,
    ),
};
