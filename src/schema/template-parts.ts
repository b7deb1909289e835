import * as enums from '../generated/prisma/enums.ts';
import type { TemplateButton as ButtonShape, TemplatePart } from '../services/templates/parts.ts';
import { partTypes } from '../services/templates/parts.ts';
import { valueTypes } from '../services/templates/variables.ts';
import { builder } from './builder.ts';

export const TemplateKind = builder.enumType(enums.TemplateKind, {
  name: 'TemplateKind',
  description: 'BASIC is sent as it is; CUSTOMIZED needs values: texts, a file, a place or a code.',
});
export const TemplateCategory = builder.enumType(enums.TemplateCategory, {
  name: 'TemplateCategory',
  description: "Meta's category; UNKNOWN for one that is not known here yet.",
});
export const TemplateStatus = builder.enumType(enums.TemplateStatus, {
  name: 'TemplateStatus',
  description: "Meta's state of a template. Only APPROVED ones can be sent; DELETED ones stay for old messages.",
});
export const TemplateParameterFormat = builder.enumType(enums.TemplateParameterFormat, {
  name: 'TemplateParameterFormat',
  description: 'How the placeholders of header and body are named.',
});
export const TemplateComponentType = builder.enumType('TemplateComponentType', {
  description: 'Which part of a template it is.',
  values: partTypes,
});
export const TemplateValueType = builder.enumType('TemplateValueType', {
  description: 'What kind of value a variable takes.',
  values: valueTypes,
});

const TemplateButton = builder.objectRef<ButtonShape>('TemplateButton').implement({
  fields: (t) => ({
    index: t.exposeInt('index', { description: 'Position among all buttons, from 0.' }),
    kind: t.exposeString('kind', { description: "Meta's word, e.g. URL or QUICK_REPLY; more may come." }),
    text: t.exposeString('text'),
    url: t.exposeString('url', { nullable: true, description: 'With its placeholder, where it has one.' }),
  }),
});

export const TemplateComponent = builder.objectRef<TemplatePart>('TemplateComponent').implement({
  description: 'A part of a template as Meta keeps it, with its placeholders.',
  fields: (t) => ({
    type: t.expose('type', { type: TemplateComponentType }),
    format: t.exposeString('format', {
      nullable: true,
      description: 'Of a header: TEXT, IMAGE, VIDEO, DOCUMENT, LOCATION or PRODUCT.',
    }),
    text: t.exposeString('text', { nullable: true }),
    buttons: t.field({ type: [TemplateButton], resolve: ({ buttons }) => buttons }),
  }),
});
