import { hasPermission, hasScope, type Viewer } from '../auth.ts';
import type { Context } from '../context.ts';
import type { Conversation, Message, Template } from '../generated/prisma/client.ts';
import { messageActions, type Action } from '../services/message-actions.ts';
import { isReady } from '../services/module.ts';
import { isWindowOpen } from '../services/window.ts';

/** What the viewer can do in a conversation now; the mutations hold the same rules. */
export type Capabilities = { reply: boolean; replyFreeForm: boolean; sendTemplate: boolean; createRequest: boolean };

export async function capabilitiesOf(conversation: Conversation, context: Context): Promise<Capabilities> {
  const { viewer, loaders, readModule } = context;
  const [module, number, participant] = await Promise.all([
    readModule.current(),
    loaders.businessNumber.load(conversation.businessNumberId),
    loaders.participant.load(conversation.participantId),
  ]);
  const isEnabled = module.licensed && module.settings.enabled;
  const isReachable = participant !== null && (participant.waId !== null || participant.userId !== null);
  const canSend = isEnabled && isReady(module) && number?.active === true && isReachable;
  const writes = hasScope(viewer, 'WRITE_MESSAGES') && viewer?.kind === 'token';
  const reply = canSend && (writes || hasPermission(viewer, 'REPLY'));
  return {
    reply,
    replyFreeForm: reply && isWindowOpen(conversation.windowExpiresAt, new Date()),
    sendTemplate: canSend && (writes || hasPermission(viewer, 'SEND_TEMPLATES')),
    createRequest: isEnabled && (filesRequests(viewer) || hasPermission(viewer, 'CREATE_REQUESTS')),
  };
}

export async function actionsOf(message: Message, context: Context): Promise<Action[]> {
  const { viewer, loaders, readModule } = context;
  const conversation = await loaders.conversation.load(message.conversationId);
  if (!conversation) return [];
  const [can, module, attachments] = await Promise.all([
    capabilitiesOf(conversation, context),
    readModule.current(),
    loaders.attachmentsOf.load(message.id),
  ]);
  const mayWrite = viewer?.kind === 'token' ? hasScope(viewer, 'WRITE_MESSAGES') : hasPermission(viewer, 'REPLY');
  return messageActions(message, {
    readBodies: hasScope(viewer, 'READ_MESSAGE_BODIES'),
    discard: mayWrite && module.licensed && module.settings.enabled,
    replyFreeForm: can.replyFreeForm,
    createRequest: can.createRequest,
    ...(await requestLinks(message, conversation, context)),
    sendItsTemplate: can.reply && can.sendTemplate && (await isTemplateUsable(message, conversation, context)),
    attachments,
    now: new Date(),
  });
}

function filesRequests(viewer: Viewer | null): boolean {
  return viewer?.kind === 'token' && hasScope(viewer, 'WRITE_REQUESTS');
}

async function requestLinks(message: Message, conversation: Conversation, { viewer, loaders, readModule }: Context) {
  const { licensed, settings } = await readModule.current();
  const mayLink =
    (filesRequests(viewer) && hasScope(viewer, 'READ_REQUESTS')) || hasPermission(viewer, 'EDIT_REQUESTS');
  if (!licensed || !settings.enabled || !mayLink) return { linkRequest: false, unlinkRequest: false };
  const links = (await loaders.linksOf.load(message.id)).filter(({ role }) => role === 'LINKED');
  const requests = await Promise.all(links.map(({ requestId }) => loaders.request.load(requestId)));
  return { linkRequest: conversation.requestCount > 0, unlinkRequest: requests.some((request) => request !== null) };
}

async function isTemplateUsable(message: Message, conversation: Conversation, { loaders }: Context): Promise<boolean> {
  const template = message.templateId === null ? null : await loaders.template.load(message.templateId);
  if (template?.status !== 'APPROVED') return false;
  return (
    !isMarketing(template) || (await loaders.participant.load(conversation.participantId))?.marketingStoppedAt === null
  );
}

function isMarketing({ category }: Template): boolean {
  return category === 'MARKETING';
}
