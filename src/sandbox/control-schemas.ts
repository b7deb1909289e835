import { z } from 'zod';

const ms = z.number().int().nonnegative();
const code = z.number().int();

const fault = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('error'),
    code,
    subcode: code.optional(),
    httpStatus: code.optional(),
    details: z.string().optional(),
  }),
  z.object({ kind: z.literal('server-error'), httpStatus: code.optional(), accepted: z.boolean().optional() }),
  z.object({ kind: z.literal('hang') }),
  z.object({ kind: z.literal('cut'), accepted: z.boolean().optional() }),
  z.object({ kind: z.literal('garbled') }),
  z.object({ kind: z.literal('slow'), ms }),
  z.object({ kind: z.literal('status-first') }),
  z.object({ kind: z.literal('duplicate-statuses') }),
  z.object({ kind: z.literal('reverse-statuses') }),
  z.object({ kind: z.literal('drop-statuses'), only: z.array(z.enum(['sent', 'delivered', 'read'])).optional() }),
  z.object({ kind: z.literal('late-statuses'), ms }),
  z.object({
    kind: z.literal('failed-status'),
    code,
    details: z.string().optional(),
    atOnce: z.boolean().optional(),
  }),
]);
const when = z.object({
  next: z.number().int().positive().optional(),
  probability: z.number().min(0).max(1).optional(),
  on: z.enum(['messages', 'media', 'templates', 'account']).optional(),
  phoneNumberId: z.string().optional(),
  to: z.string().optional(),
  textIncludes: z.string().optional(),
});

export const faultRule = fault.and(when);

export const delays = z
  .object({ answerMs: ms, sentMs: ms.nullable(), deliveredMs: ms.nullable(), readMs: ms.nullable() })
  .partial();

export const limits = z
  .object({
    messagesPerSecond: z.number().int().positive().nullable(),
    pair: z.object({ burst: z.number().int().positive(), everyMs: z.number().int().positive() }).nullable(),
    enforceWindow: z.boolean(),
    usage: z.object({ percent: z.number(), minutesToRegain: z.number() }),
  })
  .partial();

/** `phoneNumberId` may be left out: the first business number. Files come as base64. */
export const customerMessage = z.object({
  phoneNumberId: z.string().optional(),
  from: z.string().optional(),
  userId: z.string().optional(),
  name: z.string().optional(),
  text: z.string().optional(),
  message: z.record(z.string(), z.unknown()).optional(),
  media: z
    .object({
      type: z.enum(['image', 'video', 'audio', 'document', 'sticker']),
      base64: z.base64(),
      mimeType: z.string(),
      caption: z.string().optional(),
      filename: z.string().optional(),
    })
    .transform(({ base64, ...media }) => ({ ...media, content: Buffer.from(base64, 'base64') }))
    .optional(),
  contextId: z.string().optional(),
  at: z.coerce.date().optional(),
  wamid: z.string().optional(),
});

export const phoneNumbers = z.array(
  z.object({ id: z.string(), displayPhoneNumber: z.string(), verifiedName: z.string() }),
);

export const readMark = z.object({ wamid: z.string() });

export const handshake = z.object({ verifyToken: z.string() });

export const status = z.object({
  wamid: z.string(),
  status: z.enum(['sent', 'delivered', 'read', 'played', 'failed']),
  errorCode: code.optional(),
});

export const templateChange = z.object({
  name: z.string(),
  language: z.string(),
  status: z.string(),
  reason: z.string().optional(),
});

export const templateName = z.object({ name: z.string(), language: z.string() });

const templateComponent = z.looseObject({ type: z.enum(['HEADER', 'BODY', 'FOOTER', 'BUTTONS']) });

/** A row as Meta's listing has it; the id is made up where it is missing. */
export const newTemplate = z
  .object({
    id: z.string().optional(),
    name: z.string(),
    language: z.string(),
    status: z.string().default('APPROVED'),
    category: z.string().default('UTILITY'),
    parameter_format: z.enum(['POSITIONAL', 'NAMED']).default('POSITIONAL'),
    components: z.array(templateComponent),
  })
  .transform(({ id, ...template }) => ({ ...template, id: id ?? `29${Date.now()}` }));

export const ledgerFilter = z.object({
  after: z.coerce.number().int().optional(),
  to: z.string().optional(),
  phoneNumberId: z.string().optional(),
  kind: z.enum(['message', 'mark-read', 'typing']).optional(),
  limit: z.coerce.number().int().positive().default(1_000),
});
