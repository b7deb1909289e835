import { hasPermission } from '../auth.ts';
import { findOpenProblems, type OpenProblem } from '../services/channel-problems.ts';
import { builder } from './builder.ts';
import { BusinessNumber } from './business-number.ts';
import { ChatModule } from './module.ts';

const ChannelProblem = builder.objectRef<OpenProblem>('ChannelProblem').implement({
  description: 'Trouble of the channel as a whole; what concerns one message is told with the message.',
  fields: (t) => ({
    code: t.exposeString('code', { description: 'For programs, e.g. ACCOUNT_RESTRICTED.' }),
    message: t.exposeString('message', { description: 'What happened and what to do.' }),
    since: t.expose('since', { type: 'DateTime' }),
    businessNumber: t.field({
      type: BusinessNumber,
      nullable: true,
      description: 'Null where it concerns all numbers.',
      resolve: ({ businessNumberId }, _args, { loaders }) =>
        businessNumberId ? loaders.businessNumber.load(businessNumberId) : null,
    }),
    providerCode: t.exposeInt('providerCode', { nullable: true, description: "Meta's error code." }),
  }),
});

builder.objectField(ChatModule, 'health', (t) =>
  t.field({
    type: [ChannelProblem],
    description:
      'Trouble of the channel as a whole, newest first; empty when all is well, and for those who may not manage settings.',
    resolve: (_module, _args, { viewer, db }) =>
      hasPermission(viewer, 'MANAGE_SETTINGS') ? findOpenProblems(db, new Date()) : [],
  }),
);
