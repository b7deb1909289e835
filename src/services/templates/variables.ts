import type { TemplateKind, TemplateParameterFormat } from '../../generated/prisma/enums.ts';
import type { PartType, TemplateButton, TemplatePart } from './parts.ts';
import { placeholders } from './placeholders.ts';

export const valueTypes = [
  'TEXT',
  'CURRENCY',
  'DATE_TIME',
  'IMAGE',
  'VIDEO',
  'DOCUMENT',
  'LOCATION',
  'URL_SUFFIX',
  'COPY_CODE',
] as const;

export type ValueType = (typeof valueTypes)[number];

/** One value of a template, addressed by its key. */
export type TemplateVariable = {
  /** `body.1`, `body.first_name`, `header.media`, `button.0.1`, `card.0.body.1`; buttons and cards count from 0. */
  key: string;
  /** Last part of the key: the placeholder, or what the value is. */
  name: string;
  component: PartType;
  buttonIndex: number | null;
  type: ValueType;
  required: boolean;
  example: string | null;
};

const mediaTypes: Readonly<Record<string, ValueType>> = {
  IMAGE: 'IMAGE',
  VIDEO: 'VIDEO',
  GIF: 'VIDEO',
  DOCUMENT: 'DOCUMENT',
};
/** Buttons whose value is an object of Meta's, e.g. the products that are shown. */
const actionKinds: ReadonlyMap<string, { required: boolean }> = new Map([
  ['CATALOG', { required: false }],
  ['FLOW', { required: false }],
  ['MPM', { required: true }],
]);

/** Every value that a send can or must give, in the order of the components. */
export function templateVariables(parts: readonly TemplatePart[], prefix = ''): TemplateVariable[] {
  return parts.flatMap((part) => variablesOf(part, prefix));
}

/** BASIC: it can be sent as it is. */
export function templateKind(variables: readonly TemplateVariable[]): TemplateKind {
  return variables.some(({ required }) => required) ? 'CUSTOMIZED' : 'BASIC';
}

/** Decided by the placeholders themselves: Meta leaves its word out of older templates. */
export function parameterFormat(parts: readonly TemplatePart[]): TemplateParameterFormat {
  const names = textNames(parts);
  if (names.length === 0) return 'NONE';
  return names.every((name) => /^\d+$/.test(name)) ? 'POSITIONAL' : 'NAMED';
}

function textNames(parts: readonly TemplatePart[]): string[] {
  return parts.flatMap((part) => [
    ...(part.type === 'HEADER' || part.type === 'BODY' ? placeholders(part.text ?? '') : []),
    ...part.cards.flatMap(textNames),
  ]);
}

function variablesOf(part: TemplatePart, prefix: string): TemplateVariable[] {
  switch (part.type) {
    case 'HEADER':
      return headerVariables(part, `${prefix}header`);
    case 'BODY':
      return textVariables(part, `${prefix}body`);
    case 'BUTTONS':
      return part.buttons.flatMap((button) => buttonVariables(button, `${prefix}button.${button.index}`));
    case 'CAROUSEL':
      return part.cards.flatMap((card, index) => templateVariables(card, `${prefix}card.${index}.`));
    case 'LIMITED_TIME_OFFER':
      return part.expires ? [variable(part.type, `${prefix}limited_time_offer.expiration`, 'DATE_TIME')] : [];
    case 'FOOTER':
    case 'UNKNOWN':
      return [];
  }
}

function headerVariables(part: TemplatePart, key: string): TemplateVariable[] {
  const media = mediaTypes[part.format ?? ''];
  if (media) return [variable('HEADER', `${key}.media`, media)];
  if (part.format === 'LOCATION') return [variable('HEADER', `${key}.location`, 'LOCATION')];
  if (part.format === 'PRODUCT')
    return ['product_retailer_id', 'catalog_id'].map((name) => variable('HEADER', `${key}.${name}`, 'TEXT'));
  return textVariables(part, key);
}

function textVariables(part: TemplatePart, key: string): TemplateVariable[] {
  return inOrder(placeholders(part.text ?? '')).map((name) => ({
    ...variable(part.type, `${key}.${name}`, 'TEXT'),
    example: part.examples.get(name) ?? null,
  }));
}

// Positional values are sent by their numbers, wherever these stand in the text.
function inOrder(names: string[]): string[] {
  return names.every((name) => /^\d+$/.test(name)) ? names.toSorted((a, b) => Number(a) - Number(b)) : names;
}

function buttonVariables(button: TemplateButton, key: string): TemplateVariable[] {
  const of = (name: string, type: ValueType, required: boolean): TemplateVariable[] => [
    { ...variable('BUTTONS', `${key}.${name}`, type), required, buttonIndex: button.index, example: button.example },
  ];
  const action = actionKinds.get(button.kind);
  if (button.repeatsCode) return of('1', 'URL_SUFFIX', false);
  if (action) return of('action', 'TEXT', action.required);
  if (button.kind === 'COPY_CODE') return of('1', 'COPY_CODE', true);
  if (button.kind === 'QUICK_REPLY') return of('payload', 'TEXT', false);
  const [name] = button.kind === 'URL' ? placeholders(button.url ?? '') : [];
  return name === undefined ? [] : of(name, 'URL_SUFFIX', true);
}

function variable(component: PartType, key: string, type: ValueType): TemplateVariable {
  const name = key.split('.').at(-1) ?? key;
  return { key, name, component, buttonIndex: null, type, required: true, example: null };
}
