import type { Context } from '../context.ts';
import { findDelivery, findDeliveryPage, type DeliverySummary } from '../db/statements/delivery-log.ts';
import type { UserError as UserErrorShape } from '../errors.ts';
import { WebhookDeliveryState as states } from '../generated/prisma/enums.ts';
import { replayDeliveries } from '../services/deliveries.ts';
import { requireModule } from '../services/module.ts';
import { builder } from './builder.ts';
import { connectionType, pageArguments } from './connection-type.ts';
import { encodeCursor, isTimePosition, pageRequest, toPage, type PageArguments } from './connection.ts';
import { inputId } from './global-id.ts';
import { findable } from './node.ts';
import { requireRight } from './rights.ts';
import { payload, UserError } from './user-error.ts';

const WebhookDeliveryState = builder.enumType(states, {
  name: 'WebhookDeliveryState',
  description:
    'RECEIVED: kept, not applied yet; PROCESSED; PARTIALLY_PROCESSED: some elements could not be applied; FAILED: none could; IGNORED: nothing in it is for this organisation; REJECTED: signed, but not readable.',
});

const WebhookDelivery = builder.objectRef<DeliverySummary>('WebhookDelivery');

builder.node(WebhookDelivery, {
  id: { resolve: (row) => row.id },
  description: "One POST of Meta's. What it holds is not shown: it is what customers wrote.",
  authScopes: { permission: 'MANAGE_SETTINGS' },
  runScopesOnType: true,
  fields: (t) => ({
    receivedAt: t.expose('receivedAt', { type: 'DateTime', description: 'Our time, UTC.' }),
    state: t.expose('state', { type: WebhookDeliveryState }),
    attempts: t.exposeInt('attempts', { description: 'How often it was tried to apply it.' }),
    itemCount: t.exposeInt('itemCount', { description: 'Elements in it: messages, statuses and so on.' }),
    error: t.exposeString('error', { nullable: true, description: 'Why it, or part of it, could not be applied.' }),
  }),
});

findable('WebhookDelivery', { permission: 'MANAGE_SETTINGS' }, (id, { db }) => findDelivery(db.pool, id));

const WebhookDeliveryConnection = connectionType<DeliverySummary>('WebhookDelivery', WebhookDelivery, { asOf: false });

builder.queryField('webhookDeliveries', (t) =>
  t.field({
    type: WebhookDeliveryConnection,
    nullable: true,
    description:
      'What Meta delivered, newest first, for as long as it is kept (30 days by default). Needs MANAGE_SETTINGS.',
    authScopes: { permission: 'MANAGE_SETTINGS' },
    args: {
      ...pageArguments(t.arg),
      states: t.arg({ type: [WebhookDeliveryState], description: 'All states where it is missing or empty.' }),
    },
    resolve: (_root, args, context) => deliveryPage(args, context),
  }),
);

const ORDER = 'webhookDeliveries';

type State = DeliverySummary['state'];

async function deliveryPage(args: PageArguments & { states?: State[] | null }, { db }: Context) {
  const chosen = args.states?.length ? args.states : null;
  const request = pageRequest(args, ORDER, isTimePosition);
  const rows = await findDeliveryPage(db.pool, request, chosen);
  const page = toPage(rows, request, (row) => encodeCursor(ORDER, [row.receivedAt.toISOString(), row.id]));
  const where = chosen ? { state: { in: chosen } } : {};
  return { ...page, totalCount: () => db.prisma.webhookDelivery.count({ where }) };
}

const ReplayWebhookDeliveriesInput = builder.inputType('ReplayWebhookDeliveriesInput', {
  description: 'All that is given must hold; something must be given.',
  fields: (t) => ({
    ids: t.idList({ required: false, description: 'At most 1000.' }),
    receivedFrom: t.field({ type: 'DateTime', required: false }),
    receivedTo: t.field({ type: 'DateTime', required: false, description: 'No longer part of it.' }),
    states: t.field({ type: [WebhookDeliveryState], required: false }),
    dryRun: t.boolean({ required: true, defaultValue: false, description: 'Only count.' }),
  }),
});

type Replayed = { matched: number; queued: number; errors: UserErrorShape[] };

const ReplayWebhookDeliveriesPayload = builder
  .objectRef<Partial<Replayed>>('ReplayWebhookDeliveriesPayload')
  .implement({
    fields: (t) => ({
      matched: t.int({ description: 'Deliveries that fit.', resolve: ({ matched }) => matched ?? 0 }),
      queued: t.int({
        description: 'Deliveries that are applied again within seconds: the oldest 10000 of those that fit.',
        resolve: ({ queued }) => queued ?? 0,
      }),
      errors: t.field({ type: [UserError], resolve: ({ errors }) => errors ?? [] }),
    }),
  });

builder.mutationField('replayWebhookDeliveries', (t) =>
  t.field({
    type: ReplayWebhookDeliveriesPayload,
    description:
      'Applies kept deliveries again, for example after a number was configured or a mistake was corrected. What is right already stays as it is. Needs MANAGE_SETTINGS; is audited.',
    args: { input: t.arg({ type: ReplayWebhookDeliveriesInput, required: true }) },
    resolve: (_root, { input }, context) =>
      payload<Partial<Replayed>>(async () => {
        const actor = requireRight(context.viewer, 'MANAGE_SETTINGS', null);
        requireModule(await context.readModule.current(), 'licensed');
        return replayDeliveries(context.db, actor, {
          ids: input.ids?.map((id) => inputId('WebhookDelivery', id, 'ids')) ?? null,
          receivedFrom: input.receivedFrom ?? null,
          receivedTo: input.receivedTo ?? null,
          states: input.states ?? null,
          dryRun: input.dryRun,
        });
      }),
  }),
);
