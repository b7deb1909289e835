import type { MessageKind } from '../generated/prisma/enums.ts';
import type { Content } from '../db/content.ts';

const MAX_GRAPHEMES = 200;
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

const kindWords: Record<MessageKind, string> = {
  TEXT: 'Text',
  IMAGE: 'Image',
  VIDEO: 'Video',
  AUDIO: 'Audio',
  VOICE: 'Voice message',
  DOCUMENT: 'Document',
  STICKER: 'Sticker',
  LOCATION: 'Location',
  CONTACTS: 'Contact',
  INTERACTIVE_REPLY: 'Reply',
  TEMPLATE: 'Template',
  SYSTEM: 'Notice',
  UNSUPPORTED: 'Unsupported message',
};

/** One plain-text line for lists: the text, else the caption, else the file name, else the kind. */
export function preview(kind: MessageKind, content: Content, fileName: string | null): string {
  const line = lineOf(content, fileName).replace(/\s+/g, ' ').trim();
  return line === '' ? kindWords[kind] : cut(line);
}

function lineOf(content: Content, fileName: string | null): string {
  switch (content.type) {
    case 'text':
    case 'system':
      return content.text;
    case 'media':
      return content.caption ?? fileName ?? '';
    case 'location':
      return content.name ?? content.address ?? `${content.latitude}, ${content.longitude}`;
    case 'contacts':
      return content.contacts.map((contact) => contact.name).join(', ');
    case 'interactive':
      return content.title;
    case 'template':
      return content.body;
    case 'unsupported':
      return '';
  }
}

/** Cuts between graphemes, so that an emoji is never cut in two. */
function cut(line: string): string {
  if (line.length <= MAX_GRAPHEMES) return line;
  let count = 0;
  for (const { index } of graphemes.segment(line)) {
    if (count++ === MAX_GRAPHEMES) return `${line.slice(0, index).trimEnd()}…`;
  }
  return line;
}

const unfoldable: Record<string, string> = {
  ß: 'ss',
  ł: 'l',
  đ: 'd',
  ø: 'o',
  æ: 'ae',
  œ: 'oe',
  ħ: 'h',
  ı: 'i',
  þ: 'th',
};

/** For searching: lower case, no accents (Novák = novak, й = и). The same function folds what is stored and what is sought. */
export function foldText(text: string): string {
  const lower = text.toLowerCase();
  if (!/[^ -~\s]/.test(lower)) return lower;
  return lower
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/[ßłđøæœħıþ]/g, (letter) => unfoldable[letter] ?? letter);
}
