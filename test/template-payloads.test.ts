import { describe, expect, it } from 'vitest';
import { withGivenCards } from '../src/services/templates/cards.ts';
import { sendComponents } from '../src/services/templates/components.ts';
import type { ValueMeaning } from '../src/services/templates/meanings.ts';
import { templateParts } from '../src/services/templates/parts.ts';
import { renderTemplate } from '../src/services/templates/render.ts';
import { checkValues, hasProblems, type GivenValue } from '../src/services/templates/values.ts';
import { parameterFormat, templateKind, templateVariables } from '../src/services/templates/variables.ts';
import { templateCategory } from '../src/services/templates/words.ts';
import { fixture, fixtureNames } from './support/fixtures.ts';

type Json = Record<string, unknown>;
type Definition = { file: string; name: string; category: string; components: unknown[] };
type Sample = { file: string; name: string; components: Json[] };

const folders = ['graph-api/requests', 'graph-api/responses', 'graph-api/recorded'];
const files = folders.flatMap((folder) => fixtureNames(folder).map((name) => `${folder}/${name}`));
const objects = files.flatMap((file) => objectsIn(fixture(file)).map((object) => ({ file, object })));
const definitions = objects.flatMap(({ file, object }) => toDefinition(file, object) ?? []);
const samples = objects.flatMap(({ file, object }) => toSample(file, object) ?? []);

/** Sends a truth value as the text of a quick reply, which Meta's own reference does not allow. */
const contradictory = /Send-Sample-Issue-Resolution-Template/;

describe('every definition of a template', () => {
  it.each(definitions.map((one) => [`${one.name} in ${one.file}`, one] as const))('%s is understood', (_title, one) => {
    const parts = templateParts(one.components, templateCategory(one.category));
    const variables = templateVariables(parts);

    expect(parts.map(({ type }) => type)).not.toContain('UNKNOWN');
    expect(parts.some(({ type }) => type === 'BODY')).toBe(true);
    expect(new Set(variables.map(({ key }) => key)).size).toBe(variables.length);
    expect(templateKind(variables)).toBe(variables.some(({ required }) => required) ? 'CUSTOMIZED' : 'BASIC');
    expect(['NONE', 'NAMED', 'POSITIONAL']).toContain(parameterFormat(parts));
    expect(renderTemplate(parts, () => 'x').body).not.toMatch(/\{\{/);
  });

  it('was found in numbers', () => {
    expect(definitions.length).toBeGreaterThan(70);
    expect(samples.length).toBeGreaterThan(25);
  });
});

describe('the payload of a sample whose definition is known', () => {
  const pairs = samples.flatMap((sample) => {
    const definition = definitions.find(({ name }) => name === sample.name);
    return definition && !contradictory.test(sample.file) ? [{ sample, definition }] : [];
  });

  it.each(pairs.map((pair) => [`${pair.sample.name} in ${pair.sample.file}`, pair] as const))(
    '%s is what we build',
    (_title, { sample, definition }) => {
      const given = valuesOf(sample.components);
      const whole = templateParts(definition.components, templateCategory(definition.category));
      const parts = withGivenCards(
        whole,
        given.map(({ key }) => key),
      );

      const { filled, problems } = checkValues(templateVariables(parts), given);

      expect(problems).toEqual({ missing: [], unexpected: [], invalid: [] });
      expect(hasProblems(problems)).toBe(false);
      expect(normalised(sendComponents(parts, filled))).toEqual(normalised(sample.components));
    },
  );

  it('was found in numbers', () => {
    expect(pairs.length).toBeGreaterThanOrEqual(15);
  });
});

describe('the body of a sample with amounts and dates', () => {
  const bodies = samples.flatMap(({ file, components }) =>
    components
      .filter((one) => one.type === 'body' && /"(currency|date_time)"/.test(JSON.stringify(one)))
      .map((body) => ({ file, body })),
  );

  it.each(bodies.map((one) => [one.file, one] as const))('%s is what we build', (_title, { body }) => {
    const given = valuesOf([body]);
    const parts = templateParts(
      [{ type: 'BODY', text: given.map((_one, index) => `{{${index + 1}}}`).join(' ') }],
      'UTILITY',
    );

    const { filled, problems } = checkValues(templateVariables(parts), given);

    expect(hasProblems(problems)).toBe(false);
    expect(sendComponents(parts, filled)).toEqual([body]);
  });

  it('was found in numbers', () => {
    expect(bodies.length).toBeGreaterThanOrEqual(7);
  });
});

describe('what a value means', () => {
  const parts = templateParts(
    [
      { type: 'HEADER', format: 'TEXT', text: '{{1}}' },
      { type: 'BODY', text: '{{cena}}' },
    ],
    'UTILITY',
  );
  const crowns = { code: 'CZK', amount: 1_234.5 };
  const given = (key: string, value: string, meaning: Partial<ValueMeaning>): GivenValue[] => [
    text(key === 'body.cena' ? 'header.1' : 'body.cena', 'x'),
    { ...text(key, value), meaning: { currency: null, dateTime: null, ...meaning } },
  ];

  it('goes with its name and in thousandths', () => {
    const { filled } = checkValues(templateVariables(parts), given('body.cena', '1 234,50 Kč', { currency: crowns }));

    expect(sendComponents(parts, filled)[1]).toEqual({
      type: 'body',
      parameters: [
        {
          type: 'currency',
          parameter_name: 'cena',
          currency: { fallback_value: '1 234,50 Kč', code: 'CZK', amount_1000: 1_234_500 },
        },
      ],
    });
  });

  it.each([
    ['an unknown currency', 'body.cena', 'x', { currency: { ...crowns, code: 'Kč' } }],
    ['no amount', 'body.cena', 'x', { currency: { ...crowns, amount: Number.NaN } }],
    ['an amount beyond all numbers', 'body.cena', 'x', { currency: { ...crowns, amount: 1e15 } }],
    ['a 13th month', 'body.cena', 'x', { dateTime: { ...noParts, month: 13 } }],
    ['an amount and a date', 'body.cena', 'x', { currency: crowns, dateTime: noParts }],
    ['no text beside it', 'body.cena', ' ', { currency: crowns }],
    ['a place in the header', 'header.1', 'x', { currency: crowns }],
  ])('is refused with %s', (_title, key, value, meaning) => {
    const { problems } = checkValues(templateVariables(parts), given(key, value, meaning));

    expect(problems).toEqual({ missing: [], unexpected: [], invalid: [key] });
  });
});

describe('an authentication template', () => {
  it('sends its code twice: in the text and in the button', () => {
    const components = [
      { type: 'BODY', text: '*{{1}}* is your verification code.' },
      {
        type: 'BUTTONS',
        buttons: [{ type: 'URL', text: 'Copy code', url: 'https://www.whatsapp.com/otp/code/?code={{1}}' }],
      },
    ];
    const parts = templateParts(components, 'AUTHENTICATION');
    const { filled, problems } = checkValues(templateVariables(parts), [text('body.1', 'J$FpnYnP')]);

    const [sample] = samples.filter(({ name }) => name === 'verification_code');

    expect(hasProblems(problems)).toBe(false);
    expect(normalised(sendComponents(parts, filled))).toEqual(normalised(sample?.components ?? []));
  });
});

describe('a placeholder', () => {
  it.each(['{{jmeno}}', '{{ jmeno }}', '{{ Jméno }}', '{{  jméno  }}'])(
    'written as %s is asked for as jmeno',
    (written) => {
      const parts = templateParts([{ type: 'BODY', text: `Dobrý den, ${written}!` }], 'UTILITY');
      const variables = templateVariables(parts);
      const { filled } = checkValues(variables, [text('body.Jméno', 'Jana')]);

      expect(variables.map(({ key }) => key)).toEqual(['body.jmeno']);
      expect(parameterFormat(parts)).toBe('NAMED');
      expect(sendComponents(parts, filled)).toEqual([
        { type: 'body', parameters: [{ type: 'text', parameter_name: 'jmeno', text: 'Jana' }] },
      ]);
    },
  );
});

describe('a value', () => {
  const variables = templateVariables(templateParts([{ type: 'BODY', text: '{{1}} {{2}}' }], 'UTILITY'));

  it.each(['', '   ', 'a\nb', 'a\tb', 'a     b', 'Hi {{1}}', 'x'.repeat(1_025), '\u0000', '\ud800'])(
    '%j is refused',
    (value) => {
      const { problems } = checkValues(variables, [text('body.1', value)]);

      expect(problems).toEqual({ missing: ['body.2'], unexpected: [], invalid: ['body.1'] });
    },
  );

  it.each(['a    b', '👩‍👩‍👧‍👦', '{1}', 'x'.repeat(1_024)])('%j is taken', (value) => {
    const { problems } = checkValues(variables, [text('body.1', value), text('body.2', value)]);

    expect(hasProblems(problems)).toBe(false);
  });

  it('tells of everything that is wrong at once', () => {
    const { problems } = checkValues(variables, [text('body.3', 'x'), text('header.1', 'x'), text('body.2', ' ')]);

    expect(problems).toEqual({ missing: ['body.1'], unexpected: ['body.3', 'header.1'], invalid: ['body.2'] });
  });

  it('is filled in once: what looks like a placeholder stays', () => {
    const parts = templateParts([{ type: 'BODY', text: '{{1}} {{2}} {{1}}' }], 'UTILITY');

    expect(renderTemplate(parts, (key) => ({ 'body.1': '{{2}}', 'body.2': 'b' })[key] ?? null).body).toBe(
      '{{2}} b {{2}}',
    );
  });
});

function text(key: string, value: string): GivenValue {
  return { key, value, file: undefined, location: null };
}

const noParts = { year: null, month: null, dayOfMonth: null, dayOfWeek: null, hour: null, minute: null };

/** A sample taken apart into values under our keys. */
function valuesOf(components: Json[], prefix = ''): GivenValue[] {
  return components.flatMap((component) => {
    const type = String(component.type).toLowerCase();
    const parameters = (component.parameters ?? []) as Json[];
    if (type === 'carousel')
      return (component.cards as Json[]).flatMap((card) =>
        valuesOf(card.components as Json[], `card.${String(card.card_index)}.`),
      );
    if (type === 'button') {
      const [parameter = {}] = parameters;
      const key = `${prefix}button.${String(component.index)}`;
      if (parameter.payload !== undefined) return [text(`${key}.payload`, parameter.payload as string)];
      if (parameter.action !== undefined) return [text(`${key}.action`, JSON.stringify(parameter.action))];
      return [text(`${key}.1`, String(parameter.text ?? parameter.coupon_code))];
    }
    return parameters.flatMap((parameter, index) => valueOf(`${prefix}${type}`, parameter, index));
  });
}

function valueOf(part: string, parameter: Json, index: number): GivenValue[] {
  const media = (parameter.image ?? parameter.video ?? parameter.document) as Json | undefined;
  if (media) {
    const mimeType = parameter.image ? 'image/png' : parameter.video ? 'video/mp4' : 'application/pdf';
    const file = { id: String(media.id), mimeType, fileName: (media.filename as string | undefined) ?? null };
    return [{ key: `${part}.media`, value: null, file, location: null }];
  }
  const product = parameter.product as Json | undefined;
  if (product) return Object.entries(product).map(([name, value]) => text(`${part}.${name}`, String(value)));
  const offer = parameter.limited_time_offer as { expiration_time_ms: number } | undefined;
  if (offer) return [text(`${part}.expiration`, new Date(offer.expiration_time_ms).toISOString())];
  const key = `${part}.${(parameter.parameter_name as string | undefined) ?? index + 1}`;
  return [{ ...text(key, textOf(parameter)), meaning: meaningOf(parameter) }];
}

function textOf(parameter: Json): string {
  const fallback = (parameter.currency ?? parameter.date_time) as { fallback_value: string } | undefined;
  return fallback?.fallback_value ?? String(parameter.text);
}

function meaningOf(parameter: Json): ValueMeaning | undefined {
  const currency = parameter.currency as { code: string; amount_1000: number } | undefined;
  if (currency) return { currency: { code: currency.code, amount: currency.amount_1000 / 1_000 }, dateTime: null };
  const date = parameter.date_time as Partial<Record<string, number>> | undefined;
  if (!date) return undefined;
  const { year = null, month = null, day_of_month = null, day_of_week = null, hour = null, minute = null } = date;
  return { currency: null, dateTime: { year, month, dayOfMonth: day_of_month, dayOfWeek: day_of_week, hour, minute } };
}

/** Meta takes words in either case and the index as a number or a text. */
function normalised(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((one) => normalised(one));
  if (key === 'index' || key === 'card_index') return String(value);
  if (key === 'sub_type' || key === 'type') return String(value).toLowerCase();
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name === 'attachmentId' ? 'id' : name, normalised(one, name)]),
  );
}

function objectsIn(value: unknown): Json[] {
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.values(value).flatMap(objectsIn);
  return Array.isArray(value) ? inner : [value as Json, ...inner];
}

function toDefinition(file: string, { name, category, components }: Json): Definition | null {
  if (typeof name !== 'string' || typeof category !== 'string' || !Array.isArray(components)) return null;
  return { file, name, category, components };
}

function toSample(file: string, { type, template }: Json): Sample | null {
  if (type !== 'template' || typeof template !== 'object' || template === null) return null;
  const { name, components } = template as Json;
  return { file, name: String(name), components: (components ?? []) as Json[] };
}
