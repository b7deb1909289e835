import { hasScope } from '../auth.ts';
import type { Message, Reaction } from '../generated/prisma/client.ts';
import { builder } from './builder.ts';
import { MessageStatus } from './enums.ts';
import { Operator } from './operator.ts';
import type { statusHistory } from '../services/status.ts';

export const MessageStatusEntry = builder
  .objectRef<ReturnType<typeof statusHistory>[number]>('MessageStatusEntry')
  .implement({
    fields: (t) => ({
      status: t.expose('status', { type: MessageStatus }),
      at: t.expose('at', { type: 'DateTime', description: "Meta's time, whole seconds." }),
      recordedAt: t.expose('recordedAt', { type: 'DateTime', description: 'When we learnt of it.' }),
      inferred: t.exposeBoolean('inferred', {
        description: 'True for a DELIVERED that Meta left out because READ came at once.',
      }),
    }),
  });

type FailureShape = Pick<
  Message,
  'failureCode' | 'failureTitle' | 'failureDetail' | 'failureRetryable' | 'outcomeUnknown'
>;

export const MessageFailure = builder.objectRef<FailureShape>('MessageFailure').implement({
  description: 'Why a message was not sent, or that this is not known.',
  fields: (t) => ({
    code: t.exposeInt('failureCode', { nullable: true, description: "Meta's error code." }),
    title: t.string({ resolve: (failure) => failure.failureTitle ?? 'The outcome is not known.' }),
    detail: t.exposeString('failureDetail', { nullable: true }),
    retryable: t.boolean({
      description: 'Whether trying again can help.',
      resolve: (failure) => failure.failureRetryable ?? failure.outcomeUnknown,
    }),
    outcomeUnknown: t.exposeBoolean('outcomeUnknown', {
      description: 'True: it may have been sent. Never repeated by itself.',
    }),
  }),
});

type ReferralShape = Partial<
  Record<'sourceType' | 'sourceId' | 'sourceUrl' | 'headline' | 'body' | 'clickId', string | null>
>;

export const MessageReferral = builder.objectRef<unknown>('MessageReferral').implement({
  description: 'The advertisement or post that the customer came from.',
  fields: (t) => ({
    sourceType: t.string({ nullable: true, resolve: (referral) => (referral as ReferralShape).sourceType }),
    sourceId: t.string({ nullable: true, resolve: (referral) => (referral as ReferralShape).sourceId }),
    sourceUrl: t.string({ nullable: true, resolve: (referral) => (referral as ReferralShape).sourceUrl }),
    headline: t.string({ nullable: true, resolve: (referral) => (referral as ReferralShape).headline }),
    body: t.string({ nullable: true, resolve: (referral) => (referral as ReferralShape).body }),
    clickId: t.string({ nullable: true, resolve: (referral) => (referral as ReferralShape).clickId }),
  }),
});

export const MessageReaction = builder.objectRef<Reaction>('MessageReaction').implement({
  fields: (t) => ({
    emoji: t.string({
      description: 'Empty without READ_MESSAGE_BODIES.',
      resolve: (reaction, _args, { viewer }) => (hasScope(viewer, 'READ_MESSAGE_BODIES') ? (reaction.emoji ?? '') : ''),
    }),
    byCustomer: t.exposeBoolean('byCustomer'),
    operator: t.field({
      type: Operator,
      nullable: true,
      resolve: (reaction, _args, { loaders }) =>
        reaction.operatorId ? loaders.operator.load(reaction.operatorId) : null,
    }),
    at: t.expose('at', { type: 'DateTime' }),
  }),
});
