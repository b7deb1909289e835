import type { Content } from '../../db/content.ts';
import type { MessageKind } from '../../generated/prisma/enums.ts';
import { messageText } from '../message-text.ts';
import { preview } from '../preview.ts';

const MAX_NAME_UNITS = 255;

type Source = { kind: MessageKind; content: Content; fileName: string | null };

/** What the customer said, complete and as plain text, then the template's own text after an empty line. */
export function draftDescription(source: Source | null, defaultText: string | null): string {
  const said = source && messageText(source.kind, source.content, source.fileName);
  return [said, defaultText].filter((text) => text?.trim()).join('\n\n');
}

/** A first line to go on from. */
export function draftName({ kind, content, fileName }: Source): string {
  const line = preview(kind, content, fileName);
  if (line.length <= MAX_NAME_UNITS) return line;
  const ends = Array.from(new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(line), ({ index }) => index);
  return line.slice(0, ends.findLast((index) => index < MAX_NAME_UNITS) ?? 0).trimEnd();
}
