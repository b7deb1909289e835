import type { Content } from '../db/content.ts';
import type { MessageKind } from '../generated/prisma/enums.ts';

const MAX_GRAPHEMES = 200;
// One grapheme may be made of thousands of combining marks.
const MAX_UNITS = 4_096;
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
  for (const candidate of candidates(content, fileName)) {
    const line = candidate?.replace(/[\s\p{Cc}]+/gu, ' ').trim();
    if (line) return cut(line);
  }
  return kindWords[kind];
}

/** Everything in a message that can be read, for searching. */
export function readableText(content: Content, fileName: string | null): string {
  return candidates(content, fileName)
    .filter((part) => part !== null)
    .join(' ');
}

/** What may stand for the message, best first. */
function candidates(content: Content, fileName: string | null): (string | null)[] {
  switch (content.type) {
    case 'text':
    case 'system':
      return [content.text];
    case 'media':
      return [content.caption, fileName];
    case 'location':
      return [content.name, content.address, `${content.latitude}, ${content.longitude}`];
    case 'contacts':
      return [content.contacts.map((contact) => contact.name).join(', ')];
    case 'interactive':
      return [content.title, content.description];
    case 'template':
      return [content.body, content.header, content.name];
    case 'unsupported':
      return [];
  }
}

/** Cuts between graphemes, so that an emoji is never cut in two. */
function cut(line: string): string {
  if (line.length <= MAX_GRAPHEMES) return line;
  const head = line.slice(0, MAX_UNITS);
  let count = 0;
  let last = 0;
  for (const { index } of graphemes.segment(head)) {
    if (count++ === MAX_GRAPHEMES) return `${line.slice(0, index).trimEnd()}…`;
    last = index;
  }
  if (head === line) return line;
  return `${line
    .slice(0, last || MAX_GRAPHEMES)
    .replace(/\p{Surrogate}$/u, '')
    .trimEnd()}…`;
}

// Letters that Unicode does not take apart.
const unfoldable: Record<string, string> = {
  ß: 'ss',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  ø: 'o',
  æ: 'ae',
  œ: 'oe',
  ħ: 'h',
  ŧ: 't',
  ı: 'i',
  þ: 'th',
  ς: 'σ',
};

/** For searching: lower case, no accents (Novák = novak, й = и). The same function folds what is stored and what is sought. */
export function foldText(text: string): string {
  if (!/[^ -~\s]/.test(text)) return text.toLowerCase();
  return text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/[ßłđðøæœħŧıþς]/g, (letter) => unfoldable[letter] ?? letter);
}
