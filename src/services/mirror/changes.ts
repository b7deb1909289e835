import { z } from 'zod';
import { normalisePhoneNumber } from '../phone-numbers.ts';

const key = z.string().trim().min(1).max(255);
const line = z.string().max(255);
const text = z.string().max(32_768);
const moment = z.iso.datetime({ offset: true }).transform((value) => new Date(value));

const phoneNumber = z.string().transform((value, context) => {
  const number = normalisePhoneNumber(value);
  if (number.ok) return number.value;
  context.addIssue({ code: 'custom', message: number.message });
  return z.NEVER;
});

/** A request is named by our id or by CDESK's; a new one only by CDESK's. */
const requestRef = z
  .object({ id: z.uuid().optional(), externalId: key.optional() })
  .refine(({ id, externalId }) => id ?? externalId, { error: 'Give id or externalId.' });

const field = z.object({
  key,
  label: line.optional(),
  type: line.optional(),
  required: z.boolean().optional(),
  editable: z.boolean().optional(),
  options: z.array(line).max(500).optional(),
});

/** Companies, contacts and templates are named by CDESK's ids, operators by their log-in, tags by their name. */
const request = requestRef.and(
  z.object({
    code: key.optional(),
    conversationId: z.uuid().optional(),
    name: z.string().optional(),
    description: z.string().optional(),
    status: key.optional(),
    visibility: z.enum(['REGULAR', 'INTERNAL']).optional(),
    company: key.nullish(),
    contact: key.nullish(),
    template: key.nullish(),
    assignee: key.nullish(),
    fields: z.record(key, z.string().nullable()).optional(),
    tags: z.array(key).max(50).optional(),
    deleted: z.boolean().optional(),
  }),
);

export const incomingChange = z.discriminatedUnion('type', [
  z.object({ id: key, type: z.literal('request.changed'), request }),
  z.object({
    id: key,
    type: z.literal('request.post'),
    request: requestRef,
    post: z.object({
      externalId: key,
      kind: z.enum(['PUBLIC_POST', 'INTERNAL_NOTE']),
      author: line.nullish(),
      body: text.min(1),
      createdAt: moment.optional(),
    }),
  }),
  z.object({ id: key, type: z.literal('company.changed'), company: z.object({ externalId: key, name: line.min(1) }) }),
  z.object({
    id: key,
    type: z.literal('contact.changed'),
    contact: z.object({
      externalId: key,
      name: line.nullish(),
      phoneNumber: phoneNumber.nullish(),
      email: line.nullish(),
      company: key.nullish(),
    }),
  }),
  z.object({
    id: key,
    type: z.literal('tag.changed'),
    tag: z.object({
      externalId: key,
      name: line.min(1),
      color: z
        .string()
        .regex(/^#[0-9a-f]{6}$/i)
        .nullish(),
    }),
  }),
  z.object({
    id: key,
    type: z.literal('template.changed'),
    template: z.object({
      externalId: key,
      name: line.min(1),
      company: key.nullish(),
      fields: z.array(field).max(100).optional(),
      defaultDescription: text.nullish(),
      status: key.nullish(),
      assignee: key.nullish(),
      active: z.boolean().optional(),
    }),
  }),
  z.object({
    id: key,
    type: z.literal('status.changed'),
    status: z.object({ key, name: line.min(1), closed: z.boolean(), position: z.int().min(0).max(10_000) }),
  }),
]);

export type IncomingChange = z.infer<typeof incomingChange>;
export type IncomingRequest = Extract<IncomingChange, { type: 'request.changed' }>['request'];
export type IncomingPost = Extract<IncomingChange, { type: 'request.post' }>;
