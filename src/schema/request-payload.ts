import type { Context } from '../context.ts';
import { Failure, NotFoundError, type UserError as UserErrorShape } from '../errors.ts';
import { hasScope } from '../auth.ts';
import type { RequestDesk } from '../services/requests/desk.ts';
import { requireModule } from '../services/module.ts';
import { builder } from './builder.ts';
import { Conversation } from './conversation.ts';
import { rowId } from './global-id.ts';
import { Request } from './request.ts';
import { requireScope } from './rights.ts';
import { UserError } from './user-error.ts';

type Changed = { requestId?: string; replayed?: boolean; errors: UserErrorShape[] };

export const RequestPayload = builder.objectRef<Changed>('RequestPayload').implement({
  fields: (t) => ({
    request: t.field({
      type: Request,
      nullable: true,
      description: 'Null for a token without READ_REQUESTS.',
      resolve: ({ requestId }, _args, { loaders }) => (requestId ? loaders.request.load(requestId) : null),
    }),
    conversation: t.field({
      type: Conversation,
      nullable: true,
      description: 'Where the request came from. Null for a token without READ_REQUESTS or READ_CONVERSATIONS.',
      resolve: async ({ requestId }, _args, { viewer, loaders }) => {
        const request = requestId && hasScope(viewer, 'READ_CONVERSATIONS') && (await loaders.request.load(requestId));
        return request && request.conversationId ? loaders.conversation.load(request.conversationId) : null;
      },
    }),
    replayed: t.boolean({
      description: 'True where the same key and content were sent before: this is the first result.',
      resolve: ({ replayed }) => replayed ?? false,
    }),
    errors: t.field({ type: [UserError], resolve: ({ errors }) => errors }),
  }),
});

/** How requests are kept here now; refuses while the module cannot work. */
export async function openDesk({ readModule, connector }: Context): Promise<RequestDesk> {
  const module = await readModule.current();
  requireModule(module, 'enabled');
  const { requestCodeYearly, timeZone } = module.settings;
  return { codes: { yearly: requestCodeYearly, timeZone }, connector };
}

/** The row id of a request that the viewer may see; others do not exist. */
export async function visibleRequest(global: string, { viewer, loaders }: Context): Promise<string> {
  requireScope(viewer, 'READ_REQUESTS');
  const id = rowId('Request', global);
  if (id === null || !(await loaders.request.load(id)))
    throw new Failure(new NotFoundError('There is no such request.', ['input', 'requestId']));
  // The change is about to make what was loaded here old.
  loaders.request.clear(id);
  return id;
}
