import type { MessageRequestLink as LinkRow, Request as RequestRow } from '../generated/prisma/client.ts';
import { linkMessageToRequest, unlinkMessageFromRequest } from '../services/requests/link.ts';
import type { Context } from '../context.ts';
import { builder } from './builder.ts';
import { RequestLinkRole } from './enums.ts';
import { inputId } from './global-id.ts';
import { Message } from './message.ts';
import { MessagePayload } from './message-payload.ts';
import { Operator } from './operator.ts';
import { Request } from './request.ts';
import { openDesk, visibleRequest } from './request-payload.ts';
import { requireRight } from './rights.ts';
import { payload } from './user-error.ts';

const MessageRequestLink = builder.objectRef<LinkRow & { request: RequestRow }>('MessageRequestLink').implement({
  description: 'That a message belongs to a request.',
  fields: (t) => ({
    request: t.field({ type: Request, resolve: (link) => link.request }),
    code: t.string({ description: 'The present code of the request.', resolve: (link) => link.request.code }),
    role: t.expose('role', { type: RequestLinkRole }),
    linkedBy: t.field({
      type: Operator,
      nullable: true,
      description: 'Null where a token or CDESK did it.',
      resolve: (link, _args, { loaders }) => (link.linkedById ? loaders.operator.load(link.linkedById) : null),
    }),
    linkedAt: t.expose('linkedAt', { type: 'DateTime' }),
  }),
});

builder.prismaObjectField(Message, 'requestLinks', (t) =>
  t.field({
    type: [MessageRequestLink],
    description: 'The requests that it belongs to, oldest link first; those that the viewer may not see are missing.',
    resolve: async (message, _args, { loaders }) => {
      const links = await loaders.linksOf.load(message.id);
      const requests = await Promise.all(links.map((link) => loaders.request.load(link.requestId)));
      return links.flatMap((link, index) => {
        const request = requests[index];
        return request ? [{ ...link, request }] : [];
      });
    },
  }),
);

const MessageRequestInput = builder.inputType('MessageRequestInput', {
  fields: (t) => ({
    messageId: t.id({ required: true, description: 'A message of the conversation that the request came from.' }),
    requestId: t.id({ required: true }),
  }),
});

builder.mutationField('linkMessageToRequest', (t) =>
  t.field({
    type: MessagePayload,
    description:
      'Files a message under a request of its conversation. Safe to repeat. Needs EDIT_REQUESTS, or a token with WRITE_REQUESTS and READ_REQUESTS.',
    args: { input: t.arg({ type: MessageRequestInput, required: true }) },
    resolve: (_root, { input }, context) => payload(() => changeLink(linkMessageToRequest, input, context)),
  }),
);

builder.mutationField('unlinkMessageFromRequest', (t) =>
  t.field({
    type: MessagePayload,
    description:
      'Takes a message out of a request; the one that it was made from stays. Safe to repeat. Needs EDIT_REQUESTS, or a token with WRITE_REQUESTS and READ_REQUESTS.',
    args: { input: t.arg({ type: MessageRequestInput, required: true }) },
    resolve: (_root, { input }, context) => payload(() => changeLink(unlinkMessageFromRequest, input, context)),
  }),
);

async function changeLink(
  change: typeof linkMessageToRequest,
  input: { messageId: string; requestId: string },
  context: Context,
) {
  const actor = requireRight(context.viewer, 'EDIT_REQUESTS', 'WRITE_REQUESTS');
  const desk = await openDesk(context);
  const requestId = await visibleRequest(input.requestId, context);
  const messageId = inputId('Message', input.messageId, 'messageId');
  return change(context.db, actor, { messageId, requestId }, desk);
}
