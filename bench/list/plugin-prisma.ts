import { createServer } from 'node:http';
import SchemaBuilder from '@pothos/core';
import PrismaPlugin from '@pothos/plugin-prisma';
import RelayPlugin from '@pothos/plugin-relay';
import { createYoga } from 'graphql-yoga';
import { openDatabase } from '../../src/db/database.ts';
import { getDatamodel, type default as PrismaTypes } from '../../src/generated/pothos-types.ts';

/** The same list as the documentation of plugin-prisma would write it. */
const { DATABASE_URL: url = '', PORT = '0' } = process.env;
const { prisma } = openDatabase({ url, poolSize: 8 });

const builder = new SchemaBuilder<{ PrismaTypes: PrismaTypes; DefaultFieldNullability: true }>({
  plugins: [RelayPlugin, PrismaPlugin],
  prisma: { client: prisma, dmmf: getDatamodel() },
  // The project's own builder makes the types of its plugin ask for this.
  scopeAuth: { authScopes: () => ({}) },
});

builder.prismaNode('Operator', {
  id: { field: 'id' },
  fields: (t) => ({ displayName: t.exposeString('displayName') }),
});
builder.prismaNode('BusinessNumber', {
  id: { field: 'id' },
  fields: (t) => ({ phoneNumber: t.exposeString('phoneNumber') }),
});
builder.prismaNode('Participant', {
  id: { field: 'id' },
  fields: (t) => ({
    displayName: t.exposeString('profileName', { nullable: true }),
    phoneNumber: t.exposeString('phoneNumber', { nullable: true }),
  }),
});
const time = (value: Date | null) => value?.toISOString() ?? null;
builder.prismaNode('Conversation', {
  id: { field: 'id' },
  fields: (t) => ({
    number: t.exposeInt('number'),
    source: t.string({ select: { source: true }, resolve: (row) => row.source }),
    businessNumber: t.relation('businessNumber'),
    lastRepliedBy: t.relation('lastRepliedBy', { nullable: true }),
    participant: t.relation('participant'),
    lastMessagePreview: t.exposeString('lastMessagePreview', { nullable: true }),
    lastMessageStatus: t.string({
      nullable: true,
      select: { lastMessageStatus: true },
      resolve: (row) => row.lastMessageStatus,
    }),
    lastMessageDirection: t.string({
      nullable: true,
      select: { lastMessageDirection: true },
      resolve: (row) => row.lastMessageDirection,
    }),
    lastMessageAt: t.string({
      nullable: true,
      select: { lastMessageAt: true },
      resolve: (row) => time(row.lastMessageAt),
    }),
    createdAt: t.string({ nullable: true, select: { createdAt: true }, resolve: (row) => time(row.createdAt) }),
    unreadCount: t.exposeInt('unreadCount'),
    beaconOn: t.exposeBoolean('beaconOn'),
    beaconSince: t.string({ nullable: true, select: { beaconSince: true }, resolve: (row) => time(row.beaconSince) }),
  }),
});
builder.queryType({
  fields: (t) => ({
    conversations: t.prismaConnection({
      type: 'Conversation',
      cursor: 'id',
      resolve: (query) =>
        prisma.conversation.findMany({ ...query, orderBy: [{ lastMessageAt: 'desc' }, { id: 'desc' }] }),
    }),
  }),
});

const yoga = createYoga({ schema: builder.toSchema(), logging: false });
createServer((request, response) => void yoga(request, response)).listen(Number(PORT), '127.0.0.1');
