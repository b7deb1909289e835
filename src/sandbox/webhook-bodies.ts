import type { LedgerEntry } from './ledger.ts';
import type { SandboxNumber, StatusWord, TemplateChange } from './options.ts';
import { titleOf } from './graph-error.ts';
import { isUserId } from './ids.ts';
import type { SandboxTemplate } from './template-samples.ts';

export type Customer = { waId: string | null; userId: string | null; name: string | null };

export type StatusEvent = {
  entry: LedgerEntry;
  status: StatusWord;
  at: Date;
  /** The template's category in lower case, or `service`. */
  category: string;
  error?: { code: number; details?: string };
};

export function messagesBody(
  businessAccountId: string,
  number: SandboxNumber,
  customer: Customer,
  messages: readonly Record<string, unknown>[],
): unknown {
  const contact = {
    profile: customer.name === null ? {} : { name: customer.name },
    ...(customer.waId === null ? {} : { wa_id: customer.waId }),
    ...(customer.userId === null ? {} : { user_id: customer.userId }),
  };
  // Notices of a changed number come without contacts.
  const contacts = messages.every(({ type }) => type === 'system') ? {} : { contacts: [contact] };
  return envelope(businessAccountId, 'messages', { ...common(number), ...contacts, messages });
}

export function statusBody(businessAccountId: string, number: SandboxNumber, event: StatusEvent): unknown {
  const { entry, status, at } = event;
  const element = {
    id: entry.providerId,
    status,
    timestamp: seconds(at),
    ...recipient(entry.to),
    ...(entry.opaqueData === null ? {} : { biz_opaque_callback_data: entry.opaqueData }),
    ...pricing(event),
    ...errors(event),
  };
  return envelope(businessAccountId, 'messages', { ...common(number), statuses: [element] });
}

export function templateBody(businessAccountId: string, template: SandboxTemplate, change: TemplateChange): unknown {
  const value = {
    event: change.status,
    // A JSON number here, text in the listing.
    message_template_id: Number(template.id),
    message_template_name: template.name,
    // The webhook spells it with a dash, sending wants the underscore.
    message_template_language: template.language.replace('_', '-'),
    reason: change.reason ?? 'NONE',
    message_template_category: template.category,
  };
  return envelope(businessAccountId, 'message_template_status_update', value, Math.floor(Date.now() / 1_000));
}

export function seconds(at: Date): string {
  return String(Math.floor(at.getTime() / 1_000));
}

function recipient(to: string | null): Record<string, string> {
  if (to === null) return {};
  return isUserId(to) ? { recipient_user_id: to } : { recipient_id: to };
}

// Only with `sent` and `delivered`, as Meta does since v24; `read` had its price with `delivered`.
function pricing({ status, category }: StatusEvent): Record<string, unknown> {
  if (status !== 'sent' && status !== 'delivered') return {};
  const isService = category === 'service';
  const type = isService ? 'free_customer_service' : 'regular';
  return { pricing: { billable: !isService, pricing_model: 'PMP', type, category } };
}

function errors({ error }: StatusEvent): Record<string, unknown> {
  if (error === undefined) return {};
  const title = titleOf(error.code);
  const href = 'https://developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes/';
  return {
    errors: [{ code: error.code, title, message: title, error_data: { details: error.details ?? title }, href }],
  };
}

function common(number: SandboxNumber): Record<string, unknown> {
  const digits = number.displayPhoneNumber.replaceAll(/\D/g, '');
  return { messaging_product: 'whatsapp', metadata: { display_phone_number: digits, phone_number_id: number.id } };
}

function envelope(id: string, field: string, value: unknown, time?: number): unknown {
  const entry = { id, ...(time === undefined ? {} : { time }), changes: [{ value, field }] };
  return { object: 'whatsapp_business_account', entry: [entry] };
}
