import { hasPermission } from '../auth.ts';
import { builder } from './builder.ts';
import { ChatSettings, shownSettings } from './chat-settings.ts';
import { isReady, type ChatModule as ChatModuleShape } from '../services/module.ts';
import type { SetupProblem as SetupProblemShape, SetupStep as SetupStepShape } from '../services/setup.ts';
import * as errors from '../errors.ts';
import { UserError } from './user-error.ts';

const SetupProblem = builder.objectRef<SetupProblemShape>('SetupProblem').implement({
  fields: (t) => ({ code: t.exposeString('code'), message: t.exposeString('message') }),
});

const SetupStep = builder.objectRef<SetupStepShape>('SetupStep').implement({
  description: 'One part of the set-up.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'account, numbers or access.' }),
    complete: t.exposeBoolean('complete', { description: 'Everything that the step asks for is there.' }),
    problems: t.field({
      type: [SetupProblem],
      description: 'What is missing, then what the last check of the connection found; the latter stops nothing.',
      resolve: (step) => step.problems,
    }),
  }),
});

export const ChatModule = builder.objectRef<ChatModuleShape>('ChatModule').implement({
  description: 'Whether chats can work here, and why not.',
  fields: (t) => ({
    licensed: t.exposeBoolean('licensed'),
    enabled: t.boolean({ resolve: (module) => module.settings.enabled }),
    ready: t.boolean({ description: 'Every setup step is complete: messages can be sent.', resolve: isReady }),
    setup: t.field({ type: [SetupStep], resolve: (module) => module.setup }),
    settings: t.field({
      type: ChatSettings,
      nullable: true,
      description: 'Null without MANAGE_SETTINGS, and while the module is off.',
      resolve: (module, _args, { viewer }) => (hasPermission(viewer, 'MANAGE_SETTINGS') ? shownSettings(module) : null),
    }),
  }),
});

builder.queryField('chatModule', (t) =>
  t.field({
    type: ChatModule,
    description: 'Always answers, so that a front end can show why chats do not work.',
    authScopes: { signedIn: true },
    resolve: (_root, _args, { readModule }) => readModule.current(),
  }),
);

builder.objectType(errors.ModuleUnavailableError, {
  name: 'ModuleUnavailableError',
  description: 'Not licensed, switched off, or not set up.',
  interfaces: [UserError],
  fields: (t) => ({
    missingSteps: t.field({
      type: [SetupStep],
      resolve: async (error, _args, { readModule }) => {
        const { setup } = await readModule.current();
        return setup.filter((step) => error.missingStepKeys.includes(step.key));
      },
    }),
  }),
});
