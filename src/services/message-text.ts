import type { Content } from '../db/content.ts';
import type { MessageKind } from '../generated/prisma/enums.ts';
import { preview } from './preview.ts';

/** All that a message says, as plain text: for a file its caption, else its name; where there is no text its kind. */
export function messageText(kind: MessageKind, content: Content, fileName: string | null): string {
  const lines = textLines(content, fileName).filter((line) => line?.trim());
  return lines.length > 0 ? lines.join('\n') : preview(kind, content, fileName);
}

function textLines(content: Content, fileName: string | null): (string | null)[] {
  switch (content.type) {
    case 'text':
    case 'system':
      return [content.text];
    case 'media':
      return [content.caption?.trim() ? content.caption : fileName];
    case 'location':
      return [content.name, content.address, `${content.latitude}, ${content.longitude}`];
    case 'contacts':
      return content.contacts.map(({ name, phoneNumbers }) => [name, ...phoneNumbers].filter(Boolean).join(', '));
    case 'interactive':
      return [content.title, content.description];
    case 'template':
      return [content.header, content.body, content.footer];
    case 'unsupported':
      return [];
  }
}
