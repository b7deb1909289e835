import { setTimeout as pause } from 'node:timers/promises';
import { createClient, type Client } from 'graphql-ws';
import { batchOf, textMessage } from './payloads.ts';
import { number1, postSigned } from './server.ts';

/** What everybody who loads the deployment needs, and where they write down what came of it. */
export type Soak = {
  /** One of the processes, whichever. */
  url(): string;
  token: string;
  stopped: AbortSignal;
  /** Between two webhooks of one writer. */
  paceMs: number;
  count(what: string): void;
  /** For what must not happen at all. */
  blame(what: string): void;
  /** True while an injected fault, or what follows from it, may still be felt. */
  isDisturbed(): boolean;
};

const PEOPLE = 40;

/** Customers who write, through a Meta that repeats until it is answered 200; gives back what was taken. */
export async function writeAsCustomers(soak: Soak, writer: number): Promise<string[]> {
  const taken: string[] = [];
  for (let n = 0; !soak.stopped.aborted; n++) {
    const text = `${writer}-${n}`;
    const from = `4206${String(10_000_000 + ((writer * 7 + n) % PEOPLE))}`;
    await postUntilTaken(soak, JSON.stringify(batchOf(number1.phoneNumberId, [textMessage({ text, from })])));
    taken.push(text);
    soak.count('webhooks taken');
    await pause(soak.paceMs);
  }
  return taken;
}

async function postUntilTaken(soak: Soak, body: string): Promise<void> {
  for (;;) {
    const status = await postSigned(soak.url(), body).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 200) return;
    soak.count(status === 0 ? 'webhooks repeated: no answer' : `webhooks repeated: ${status}`);
    if (![0, 503].includes(status)) soak.blame(`webhook ${status}`);
    await pause(100);
  }
}

type Listed = { conversations: { nodes: { id: string }[] } | null };
type Replied = { replyToConversation: { message: { id: string } | null } };

const LIST = '{ conversations(first: 20) { nodes { id unreadCount beacon { on } lastMessage { preview } } } }';
const REPLY = `mutation ($input: ReplyToConversationInput!) {
  replyToConversation(input: $input) { message { id } errors { code } } }`;

/** An operator who reads the list over and over and answers now and then; gives back the replies that were taken. */
export async function workAsOperator(soak: Soak, operator: number): Promise<string[]> {
  const replies: string[] = [];
  for (let n = 0; !soak.stopped.aborted; n++) {
    const listed = await ask<Listed>(soak, LIST, {});
    const conversationId = listed?.conversations?.nodes[n % 20]?.id;
    if (conversationId && n % 4 === 0) {
      const text = `odpověď ${operator}-${n}`;
      const answer = await ask<Replied>(soak, REPLY, { input: { conversationId, text, idempotencyKey: text } });
      if (answer?.replyToConversation.message) replies.push(text);
    }
    await pause(20);
  }
  return replies;
}

async function ask<T>(soak: Soak, query: string, variables: object): Promise<T | null> {
  try {
    const response = await fetch(`${soak.url()}/graphql`, {
      method: 'POST',
      headers: { authorization: `Bearer ${soak.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as { data?: T; errors?: { extensions: { code: string } }[] };
    const code = errors?.[0]?.extensions.code;
    soak.count(code ? `operations: ${code}` : 'operations answered');
    // A process that has just lost its database says INTERNAL; nothing else may come, and not without a cause.
    if (code && !(code === 'INTERNAL' && soak.isDisturbed())) soak.blame(JSON.stringify(errors));
    return data ?? null;
  } catch {
    soak.count('operations without an answer');
    if (!soak.isDisturbed()) soak.blame('an operation without an answer');
    return null;
  }
}

/** Where the stream stands: a subscriber who begins there hears all that comes. */
export async function streamPosition(soak: Soak): Promise<string> {
  const answer = await ask<{ conversations: { asOf: string } }>(soak, '{ conversations(first: 1) { asOf } }', {});
  if (!answer) throw new Error('the position of the stream could not be read');
  return answer.conversations.asOf;
}

type Heard = { messageAdded: { eventId: string; cursor: string } };

/** A dashboard that resumes by its cursor wherever a process takes it. */
export class Subscriber {
  /** The events that it was told of, each once. */
  readonly heard = new Set<string>();
  private readonly soak: Soak;
  private cursor: string;
  private client: Client | null = null;
  private isStopped = false;

  constructor(soak: Soak, after: string) {
    this.soak = soak;
    this.cursor = after;
    this.follow();
  }

  cut(): void {
    this.client?.terminate();
  }

  stop(): void {
    this.isStopped = true;
    this.client?.terminate();
  }

  private follow(): void {
    if (this.isStopped) return;
    const client = createClient({
      url: `${this.soak.url().replace('http', 'ws')}/graphql`,
      connectionParams: { authorization: `Bearer ${this.soak.token}` },
      retryAttempts: 0,
      on: { connected: () => this.soak.count('sockets opened') },
    });
    this.client = client;
    const again = (error?: unknown) => {
      if (client !== this.client) return;
      this.note(error);
      setTimeout(() => this.follow(), 100);
    };
    const query =
      'subscription ($after: EventCursor) { messageAdded(after: $after) { eventId cursor message { preview } } }';
    client.subscribe<Heard>(
      { query, variables: { after: this.cursor } },
      {
        next: ({ data, errors }) => {
          if (!data || errors || client !== this.client) return;
          this.heard.add(data.messageAdded.eventId);
          this.cursor = data.messageAdded.cursor;
        },
        error: again,
        complete: () => again(),
      },
    );
  }

  /** A socket that is gone comes back; a subscription that is refused must have its cause in a fault. */
  private note(error: unknown): void {
    if (!Array.isArray(error)) return;
    const text = JSON.stringify(error);
    this.soak.count('subscriptions refused');
    if (!text.includes('INTERNAL') || !this.soak.isDisturbed()) this.soak.blame(`subscription ${text}`);
  }
}
