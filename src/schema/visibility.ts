import { hasScope, type Viewer } from '../auth.ts';
import type { Context } from '../context.ts';
import type { Attachment, Conversation, Message } from '../generated/prisma/client.ts';

/** A token may be limited to some business numbers: what belongs to another one does not exist for it. */
export function maySee(viewer: Viewer | null, conversation: Pick<Conversation, 'businessNumberId'>): boolean {
  return hasScope(viewer, 'READ_CONVERSATIONS') && seesNumber(viewer, conversation.businessNumberId);
}

export function seesNumber(viewer: Viewer | null, businessNumberId: string): boolean {
  return (
    viewer?.kind !== 'token' || viewer.businessNumberIds === null || viewer.businessNumberIds.has(businessNumberId)
  );
}

/** The numbers that a viewer is limited to; null where there is no limit. */
export function numbersSeenBy(viewer: Viewer | null): string[] | null {
  return viewer?.kind === 'token' && viewer.businessNumberIds !== null ? [...viewer.businessNumberIds] : null;
}

export async function visibleConversationRow(
  id: string,
  { viewer, loaders }: Pick<Context, 'viewer' | 'loaders'>,
): Promise<Conversation | null> {
  const conversation = await loaders.conversation.load(id);
  return conversation && maySee(viewer, conversation) ? conversation : null;
}

export async function visibleMessage(id: string, context: Context): Promise<Message | null> {
  const message = await context.loaders.message.load(id);
  return message && (await visibleConversationRow(message.conversationId, context)) ? message : null;
}

/**
 * Operators see every file that was sent or filed, and of the others their own; for a token one of a message goes with
 * the message, any other does not exist.
 */
export async function visibleAttachment(id: string, context: Context): Promise<Attachment | null> {
  const attachment = await context.loaders.attachment.load(id);
  if (!attachment) return null;
  if (context.viewer?.kind === 'operator') {
    const isInUse = attachment.messageId !== null || attachment.expiresAt === null;
    return isInUse || attachment.uploadedById === context.viewer.operatorId ? attachment : null;
  }
  return attachment.messageId !== null && (await visibleMessage(attachment.messageId, context)) ? attachment : null;
}

/** A customer is seen through the conversations with them. */
export async function isParticipantVisible(participantId: string, { viewer, db }: Context): Promise<boolean> {
  const numbers = numbersSeenBy(viewer);
  if (numbers === null) return true;
  const where = { participantId, businessNumberId: { in: numbers } };
  return (await db.prisma.conversation.findFirst({ where, select: { id: true } })) !== null;
}
