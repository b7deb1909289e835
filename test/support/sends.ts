import type { GraphQLClient } from 'graphql-request';
import { eventually } from './events.ts';
import { number1, type TestServer } from './server.ts';

let lastCustomer = 0;

export type Begun = { conversationId: string; from: string; wamid: string; messageId: string };

/** A customer who writes for the first time, and the conversation that this opens. */
export async function beginConversation(
  server: TestServer,
  options: { from?: string; text?: string; at?: Date; phoneNumberId?: string; name?: string } = {},
): Promise<Begun> {
  const from = options.from ?? `+42060${String(7_000_000 + ++lastCustomer)}`;
  const { wamid } = await server.sandbox.customerWrites({
    phoneNumberId: options.phoneNumberId ?? number1.phoneNumberId,
    from,
    name: options.name ?? 'Jana Veselá',
    text: options.text ?? 'Dobrý den',
    ...(options.at ? { at: options.at } : {}),
  });
  const [row] = await server.sql<{ id: string; conversation_id: string }>(
    'SELECT id, conversation_id FROM message WHERE provider_id = $1',
    [wamid],
  );
  if (!row) throw new Error('the message of the customer was not stored');
  return {
    conversationId: globalOf('Conversation', row.conversation_id),
    from,
    wamid,
    messageId: globalOf('Message', row.id),
  };
}

export function globalOf(type: string, id: string): string {
  return Buffer.from(`${type}:${id}`).toString('base64');
}

export function rowOf(global: string): string {
  return Buffer.from(global, 'base64').toString().split(':')[1] ?? '';
}

export type SentError = {
  __typename: string;
  code: string;
  message: string;
  path: string[] | null;
  rule?: string;
  missing?: string[];
  unexpected?: string[];
  invalid?: string[];
  usableTemplates?: { nodes: { name: string }[] };
  window?: { state: string; expiresAt: string };
};

export type SentMessage = {
  id: string;
  status: string;
  kind: string;
  clientKey: string;
  failure: { code: number | null; title: string; retryable: boolean; outcomeUnknown: boolean } | null;
  availableActions: string[];
  content: { __typename: string; text?: string; renderedBody?: string } | null;
  quoted: { id: string } | null;
};

export type SentResult = { replayed: boolean; message: SentMessage | null; errors: SentError[] };

const MESSAGE = `id status kind clientKey availableActions quoted { id }
  failure { code title detail retryable outcomeUnknown }
  reactions { emoji byCustomer operator { displayName } }
  content { __typename ... on TextContent { text } ... on MediaContent { caption attachment { id mimeType fileName } }
    ... on TemplateContent { templateName language renderedHeader renderedBody renderedFooter
      template { name } parameters { key value attachment { id } } } }`;

const PAYLOAD = `replayed message { ${MESSAGE} } conversation { id beacon { on reason } unreadCount lastRepliedBy { displayName } }
  errors { __typename code message path ... on ValidationError { rule }
    ... on TemplateParameterError { missing unexpected invalid } ... on TemplateNotUsableError { template { name status } }
    ... on AttachmentRejectedError { maxBytes allowedMimeTypes }
    ... on StaleStateError { latestIncomingMessageId } ... on ModuleUnavailableError { missingSteps { key } }
    ... on WindowClosedError { window { state expiresAt } usableTemplates(first: 5) { nodes { name status } } } }`;

let lastKey = 0;

/** Runs one of the mutations that answer with a SendMessagePayload. The key is made up where none is given. */
export async function send(
  client: GraphQLClient,
  mutation: 'replyToConversation' | 'sendTemplate' | 'startConversation' | 'retryMessage' | 'discardMessage',
  input: Record<string, unknown>,
): Promise<SentResult> {
  const type = `${mutation[0]?.toUpperCase()}${mutation.slice(1)}Input`;
  const needsKey = mutation !== 'discardMessage';
  const result = await client.request<Record<string, SentResult>>(
    `mutation Send($input: ${mutation === 'discardMessage' ? 'MessageRefInput' : type}!) { ${mutation}(input: $input) { ${PAYLOAD} } }`,
    { input: { ...(needsKey ? { idempotencyKey: `key ${++lastKey}` } : {}), ...input } },
  );
  const sent = result[mutation];
  if (!sent) throw new Error('no answer');
  return sent;
}

export async function messageOf<T = SentMessage>(client: GraphQLClient, id: string): Promise<T> {
  const { node } = await client.request<{ node: T }>(
    `query One($id: ID!) { node(id: $id) { ... on Message { ${MESSAGE} } } }`,
    {
      id,
    },
  );
  return node;
}

/** Waits until the message has reached one of these. */
export function reached(client: GraphQLClient, id: string, ...statuses: string[]): Promise<SentMessage> {
  return eventually(async () => {
    const message = await messageOf(client, id);
    return statuses.includes(message.status) ? message : null;
  }, 15_000);
}
