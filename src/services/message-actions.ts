import type { Message } from '../generated/prisma/client.ts';

export type Action = 'COPY_TEXT' | 'SHOW_STATUS_HISTORY';

/** What anyone who reads it can do with the message now. The mutations hold the same rules. */
export function messageActions(message: Pick<Message, 'direction'>): Action[] {
  return message.direction === 'OUTGOING' ? ['COPY_TEXT', 'SHOW_STATUS_HISTORY'] : ['COPY_TEXT'];
}
