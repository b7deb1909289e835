import { createHash } from 'node:crypto';
import type { Database } from './db/database.ts';
import { seedDemoRequests } from './demo-requests.ts';
import type { Env } from './env.ts';
import { ChatPermission, type TokenScope } from './generated/prisma/enums.ts';
import { keyringOf } from './services/module-watch.ts';
import { API_TOKEN_PREFIX, hashApiToken } from './services/api-token-secret.ts';
import { seal } from './services/secrets.ts';

export const SANDBOX_ACCESS_TOKEN = 'sandbox-access-token';
export const SANDBOX_ACCOUNT_ID = '100000000000001';

export const demoNumbers = [
  { slot: 1, phoneNumberId: '100000000000011', phoneNumber: '+420777000111', displayName: 'Demo Support' },
  { slot: 2, phoneNumberId: '100000000000012', phoneNumber: '+420777000222', displayName: 'Demo Sales' },
] as const;

export const demoOperators = [
  { login: 'alena', displayName: 'Alena Nováková', permissions: Object.values(ChatPermission) },
  {
    login: 'boris',
    displayName: 'Boris Svoboda',
    permissions: [
      'READ_CONVERSATIONS',
      'REPLY',
      'SEND_TEMPLATES',
      'CREATE_REQUESTS',
      'EDIT_REQUESTS',
      'MANAGE_SAVED_FILTERS',
    ],
  },
  { login: 'cyril', displayName: 'Cyril Dvořák', permissions: ['READ_CONVERSATIONS'] },
] as const satisfies { login: string; displayName: string; permissions: readonly ChatPermission[] }[];

/** Sets up a demo organisation in an empty database: numbers, operators and a dashboard token. Never in production. */
export async function seedDemo(db: Database, env: Env): Promise<void> {
  const { prisma } = db;
  if ((await prisma.businessNumber.count()) > 0 || (await prisma.operator.count()) > 0) return;
  await prisma.businessNumber.createMany({ data: [...demoNumbers], skipDuplicates: true });
  await prisma.operator.createMany({
    data: demoOperators.map((operator) => ({
      ...operator,
      permissions: [...operator.permissions],
      subject: subjectOf(operator.login),
    })),
    skipDuplicates: true,
  });
  await prisma.settings.update({ where: { id: 1 }, data: demoSettings(env) });
  const owner = await prisma.operator.findUniqueOrThrow({ where: { subject: subjectOf('alena') } });
  const secret = dashboardToken(env);
  await prisma.apiToken.createMany({
    data: [
      {
        name: 'Demo dashboard',
        hash: hashApiToken(secret),
        hint: secret.slice(-4),
        scopes: readScopes,
        createdById: owner.id,
      },
    ],
    skipDuplicates: true,
  });
  await seedDemoRequests(db);
}

const readScopes: TokenScope[] = [
  'READ_EVENTS',
  'READ_COUNTERS',
  'READ_CONVERSATIONS',
  'READ_MESSAGE_BODIES',
  'READ_CONTACT_DATA',
  'READ_REQUESTS',
];

function demoSettings(env: Env) {
  const now = new Date();
  return {
    enabled: true,
    whatsappBusinessAccountId: SANDBOX_ACCOUNT_ID,
    accessTokenSealed: seal(keyringOf(env), 'access_token', SANDBOX_ACCESS_TOKEN),
    accessTokenHint: SANDBOX_ACCESS_TOKEN.slice(-4),
    accessTokenSetAt: now,
  };
}

/** The same at every start, so that it can be printed again: made from this deployment's own secret. */
export function dashboardToken(env: Env): string {
  return `${API_TOKEN_PREFIX}${createHash('sha256')
    .update(`dashboard:${env.encryptionKey.toString('hex')}`)
    .digest('base64url')}`;
}

export function subjectOf(login: string): string {
  return `demo:${login}`;
}
