import type { Context } from '../context.ts';
import { Failure, NotFoundError } from '../errors.ts';
import type { Message } from '../generated/prisma/client.ts';
import { maySee } from './visibility.ts';
import { inputId } from './global-id.ts';
import { requireScope } from './rights.ts';

/** A message that the viewer may see; others do not exist. */
export async function messageToChange(global: string, { viewer, loaders }: Context): Promise<Message> {
  requireScope(viewer, 'READ_CONVERSATIONS');
  const id = inputId('Message', global, 'messageId');
  const message = await loaders.message.load(id);
  const conversation = message && (await loaders.conversation.load(message.conversationId));
  if (!message || !conversation || !maySee(viewer, conversation))
    throw new Failure(new NotFoundError('There is no such message.', ['input', 'messageId']));
  // The change is about to make what was loaded here old.
  loaders.message.clear(id);
  loaders.conversation.clear(conversation.id);
  return message;
}
