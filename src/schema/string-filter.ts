import { builder } from './builder.ts';

export const FilterMatch = builder.enumType('FilterMatch', {
  description: 'How a text is compared. Case and accents do not matter.',
  values: ['CONTAINS', 'NOT_CONTAINS', 'EQUALS', 'NOT_EQUALS', 'STARTS_WITH'] as const,
});

export const StringFilterInput = builder.inputType('StringFilterInput', {
  fields: (t) => ({
    match: t.field({ type: FilterMatch, required: true, defaultValue: 'CONTAINS' }),
    value: t.string({ required: true, description: '% and _ mean themselves.' }),
  }),
});
