import type { TemplateItem } from '../services/receiving/items.ts';
import type { AccountSurroundings } from './account-items.ts';
import { asObject, asText, firstText, type Json } from './lenient.ts';

const templateFields = new Map<string, TemplateItem['change']>([
  ['message_template_quality_update', 'quality'],
  ['template_category_update', 'category'],
  ['message_template_components_update', 'components'],
]);

/** Recognised by its keys, because Meta's own page shows a quality update under the field of a status update. */
export function readTemplate(value: Json, change: Json, around: AccountSurroundings): TemplateItem | null {
  const metaId = asText(value.message_template_id);
  if (metaId === null) return null;
  const kind = kindOf(value, around.field);
  return {
    type: 'template',
    businessAccountId: around.businessAccountId,
    change: kind,
    metaId,
    name: asText(value.message_template_name),
    language: asText(value.message_template_language)?.replaceAll('-', '_') ?? null,
    ...valuesOf(kind, value),
    announced: kind === 'category' && asText(value.correct_category) !== null,
    reason: reasonOf(value, change),
    at: around.at,
  };
}

function kindOf(value: Json, field: string | null): TemplateItem['change'] {
  if (value.new_quality_score !== undefined) return 'quality';
  if (value.new_category !== undefined || value.correct_category !== undefined) return 'category';
  if (value.message_template_element !== undefined) return 'components';
  return templateFields.get(field ?? '') ?? 'status';
}

function valuesOf(kind: TemplateItem['change'], value: Json): Pick<TemplateItem, 'value' | 'previousValue'> {
  if (kind === 'components') return { value: null, previousValue: null };
  if (kind === 'status') return { value: asText(value.event), previousValue: null };
  if (kind === 'quality') {
    return { value: asText(value.new_quality_score), previousValue: asText(value.previous_quality_score) };
  }
  // While a change is only announced, `new_category` is the present one.
  const next = asText(value.correct_category);
  const present = asText(value.new_category);
  return { value: next ?? present, previousValue: next === null ? asText(value.previous_category) : present };
}

function reasonOf(value: Json, change: Json): string | null {
  const reason = asText(value.reason);
  if (reason !== null && reason !== 'NONE') return reason;
  // Meta's pages show it inside of the value and beside it.
  const rejection = asObject(value.rejection_info) ?? asObject(change.rejection_info);
  const other = asObject(value.other_info);
  return firstText(rejection?.reason, other?.description, other?.title);
}
