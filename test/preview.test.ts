import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Content } from '../src/db/content.ts';
import type { MessageKind } from '../src/generated/prisma/enums.ts';
import { foldText, preview } from '../src/services/preview.ts';

const template = {
  type: 'template' as const,
  name: 'hello',
  language: 'cs',
  header: null,
  footer: null,
  parameters: [],
};
const place = { type: 'location', latitude: 50.08, longitude: 14.42, name: null, address: null } as const;

describe('the preview of a message', () => {
  it.each<[fact: string, kind: MessageKind, content: Content, fileName: string | null, line: string]>([
    [
      'a text in one line',
      'TEXT',
      { type: 'text', text: '  Dobrý\r\n\tden\u00a0vám \u2028 všem\u0007 ' },
      null,
      'Dobrý den vám všem',
    ],
    ['a caption', 'IMAGE', { type: 'media', caption: 'Faktura' }, 'a.jpg', 'Faktura'],
    ['a file name where the caption is blank', 'DOCUMENT', { type: 'media', caption: ' \n' }, 'a.pdf', 'a.pdf'],
    ['the kind of a file without a name', 'IMAGE', { type: 'media', caption: null }, null, 'Image'],
    ['a voice note', 'VOICE', { type: 'media', caption: null }, null, 'Voice message'],
    ['the name of a place', 'LOCATION', { ...place, name: 'Hrad', address: 'Praha' }, null, 'Hrad'],
    ['the address of a place', 'LOCATION', { ...place, address: 'Praha' }, null, 'Praha'],
    ['the place itself', 'LOCATION', place, null, '50.08, 14.42'],
    [
      'names of contacts',
      'CONTACTS',
      {
        type: 'contacts',
        contacts: [
          { name: 'Jan', phoneNumbers: [] },
          { name: 'Eva', phoneNumbers: [] },
        ],
      },
      null,
      'Jan, Eva',
    ],
    ['no contacts', 'CONTACTS', { type: 'contacts', contacts: [] }, null, 'Contact'],
    [
      'a chosen button',
      'INTERACTIVE_REPLY',
      { type: 'interactive', replyId: 'y', title: 'Ano', description: null },
      null,
      'Ano',
    ],
    ['the body of a template', 'TEMPLATE', { ...template, body: 'Dobrý den' }, null, 'Dobrý den'],
    ['a notice', 'SYSTEM', { type: 'system', text: 'Nové číslo' }, null, 'Nové číslo'],
    [
      'an unknown kind',
      'UNSUPPORTED',
      { type: 'unsupported', providerType: 'poll', reason: 'x' },
      null,
      'Unsupported message',
    ],
  ])('shows %s', (_fact, kind, content, fileName, line) => {
    expect(preview(kind, content, fileName)).toBe(line);
  });

  it('keeps 200 graphemes, however many characters each has', () => {
    const family = '👨‍👩‍👧‍👦';

    expect(previewOf(family.repeat(200))).toBe(family.repeat(200));
    expect(previewOf(family.repeat(201))).toBe(`${family.repeat(200)}…`);
    expect(previewOf('á'.repeat(200))).toBe('á'.repeat(200));
    expect(previewOf('á'.repeat(201))).toBe(`${'á'.repeat(200)}…`);
  });

  it('stays short where one letter carries thousands of marks', () => {
    expect(previewOf(`a${'\u0301'.repeat(50_000)}`).length).toBeLessThanOrEqual(201);
    expect(previewOf(`a${'\u{1d165}'.repeat(50_000)}`).isWellFormed()).toBe(true);
  });

  it('is one short, well-formed line that says something, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 400, size: 'max' }), (text) => {
        const line = previewOf(text);

        expect(line).toMatch(/^\S(.*\S)?$/u);
        expect(line.isWellFormed()).toBe(true);
        expect([...new Intl.Segmenter('en').segment(line)].length).toBeLessThanOrEqual(201);
      }),
    );
  });
});

describe('the folded text', () => {
  it.each([
    ['Novák', 'novak'],
    ['PŘÍLIŠ ŽLUŤOUČKÝ KŮŇ', 'prilis zlutoucky kun'],
    ['Ľubomír Ďurčanský', 'lubomir durcansky'],
    ['Straße', 'strasse'],
    ['STRAẞE Größe', 'strasse grosse'],
    ['Łódź Đorđe Øre Æble', 'lodz dorde ore aeble'],
    ['Чайковский Ёлка', 'чаиковскии елка'],
    ['İstanbul ılık', 'istanbul ilik'],
    ['ΣΊΣΥΦΟΣ', 'σισυφοσ'],
    ['ﬁrma № ５', 'firma no 5'],
    ['plain TEXT 123', 'plain text 123'],
  ])('of %s is %s', (text, folded) => {
    expect(foldText(text)).toBe(folded);
  });

  it('does not depend on how accents and capitals are written, and folding again changes nothing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const folded = foldText(text);

        expect(foldText(text.normalize('NFD'))).toBe(folded);
        expect(foldText(text.normalize('NFC'))).toBe(folded);
        expect(foldText(folded)).toBe(folded);
      }),
    );
  });
});

function previewOf(text: string): string {
  return preview('TEXT', { type: 'text', text }, null);
}
