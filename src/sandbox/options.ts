import type { Logger } from 'pino';
import type { FaultRule } from './faults.ts';
import type { LedgerEntry, LedgerFilter } from './ledger.ts';
import type { SandboxTemplate } from './template-samples.ts';
import type { Handshake } from './webhooks.ts';

export type SandboxNumber = {
  id: string;
  /** As Meta prints it, e.g. +420 777 000 111. */
  displayPhoneNumber: string;
  verifiedName: string;
};

/** Counted from the moment the message was accepted; null: that status never comes. */
export type Delays = {
  answerMs: number;
  sentMs: number | null;
  deliveredMs: number | null;
  readMs: number | null;
};

export type Limits = {
  /** 130429 above it, per business number. Null: no limit. */
  messagesPerSecond: number | null;
  /** 131056 once the customer's allowance is used up: `burst` messages, one more every `everyMs`. */
  pair: { burst: number; everyMs: number } | null;
  /** 131047 for free-form messages when the customer has not written within 24 hours (since the sandbox started). */
  enforceWindow: boolean;
  /** What the usage header of every answer says. */
  usage: { percent: number; minutesToRegain: number };
};

export type WebhookRetry = {
  /** Repeats after an answer other than 200; the pause doubles each time. */
  maxRetries: number;
  firstPauseMs: number;
};

export type SandboxOptions = {
  /** 0 or missing: any free port. */
  port?: number;
  host?: string;
  /** Our server's webhook route; a function where its port is known only later. */
  webhookUrl: string | (() => string);
  /** A function where the settings may change it while the sandbox runs. */
  appSecret: string | (() => string);
  /** The only accepted token. */
  accessToken?: string;
  businessAccountId?: string;
  phoneNumbers: readonly SandboxNumber[];
  /** Instead of the samples. */
  templates?: readonly SandboxTemplate[];
  /** Same seed, same ids and the same luck. Missing: random, because ids must not repeat against a kept database. */
  seed?: number;
  log: Logger;
  delays?: Partial<Delays>;
  limits?: Partial<Limits>;
  retry?: WebhookRetry;
};

export type CustomerMessage = {
  phoneNumberId: string;
  /** The customer's number with or without +; missing for customers who show only a user name. */
  from?: string;
  /** Business-scoped id, e.g. CZ.13491208655302741918. */
  userId?: string;
  name?: string;
  text?: string;
  /** Any other message, e.g. `{ type: 'location', location: { latitude: 50.1, longitude: 14.4 } }`. */
  message?: Record<string, unknown>;
  media?: CustomerMedia;
  /** The message that is answered by quoting. */
  contextId?: string;
  /** When the customer wrote it; now if missing. */
  at?: Date;
  /** To repeat a message under its own id. */
  wamid?: string;
};

export type CustomerMedia = {
  type: 'image' | 'video' | 'audio' | 'document' | 'sticker';
  content: Uint8Array;
  mimeType: string;
  caption?: string;
  filename?: string;
};

/** What the webhook receiver answered to the first attempt; status 0: no answer. */
export type Posted = { httpStatus: number };

export type StatusWord = 'sent' | 'delivered' | 'read' | 'played' | 'failed';

export type TemplateChange = { name: string; language: string; status: string; reason?: string };

/** The same as the control endpoints under /sandbox, for callers in the same process. */
export type Sandbox = AsyncDisposable & {
  /** Base URL for the Graph API, e.g. http://127.0.0.1:4010. */
  url: string;
  accessToken: string;
  businessAccountId: string;
  phoneNumbers(): readonly SandboxNumber[];
  setPhoneNumbers(numbers: readonly SandboxNumber[]): void;
  customerWrites(message: CustomerMessage): Promise<Posted & { wamid: string }>;
  /** Posts `read` for a message that the business sent. */
  customerReads(wamid: string): Promise<Posted>;
  postStatus(wamid: string, status: StatusWord, errorCode?: number): Promise<Posted>;
  /** Registers the webhook route as Meta does, with a GET. */
  handshake(verifyToken: string): Promise<Handshake>;
  /** Any body, signed. */
  postWebhook(body: unknown): Promise<Posted>;
  /** What the business has sent, oldest first. */
  ledger(filter?: LedgerFilter): LedgerEntry[];
  fail(rule: FaultRule): void;
  clearFaults(): void;
  setDelays(delays: Partial<Delays>): void;
  setLimits(limits: Partial<Limits>): void;
  templates(): readonly SandboxTemplate[];
  /** Nobody is told: the next listing has it. */
  addTemplate(template: SandboxTemplate): void;
  /** Gives back what was removed; nobody is told. */
  removeTemplate(name: string, language: string): SandboxTemplate[];
  /** Changes it and posts message_template_status_update. */
  changeTemplate(change: TemplateChange): Promise<Posted>;
  /** All planned statuses have been posted. */
  settled(): Promise<void>;
};
