import { createHmac } from 'node:crypto';
import { GraphQLClient } from 'graphql-request';
import { createClient } from 'graphql-ws';
import { demoNumbers, subjectOf } from '../../src/demo-data.ts';
import type { Env } from '../../src/env.ts';
import { signIn } from '../../src/sign-in.ts';
import { say, showAnswer, showEvent, showOperation } from './screen.ts';

type Event = { __typename: string; status?: string; on?: boolean } & Record<string, unknown>;

const EVENTS = `subscription {
  events {
    __typename
    ... on MessageAdded { message { direction preview } }
    ... on BeaconChanged { on reason }
    ... on UnreadChanged { unreadCount }
    ... on WindowChanged { state }
    ... on MessageStatusChanged { previous status }
  }
}`;

const LIST = `query {
  conversations(first: 1) {
    nodes { id number unreadCount participant { displayName } beacon { on since } lastMessage { preview } lastIncomingMessage { id } }
  }
}`;

const REPLY = `mutation Reply($input: ReplyToConversationInput!) {
  replyToConversation(input: $input) {
    message { status }
    conversation { beacon { on reason } unreadCount }
    errors { code message }
  }
}`;

const WAIVE = `mutation Waive($input: SetNoReplyNeededInput!) {
  setNoReplyNeeded(input: $input) {
    conversation { beacon { on reason noReplyNeeded } }
    errors { code message }
  }
}`;

type Listed = { conversations: { nodes: { id: string; lastIncomingMessage: { id: string } }[] } };
type Payload = { errors: { code: string; message: string }[] };

const DEADLINE_MS = 15_000;

/** A scripted conversation, every operation and every event shown. */
export async function playConversation(env: Env, url: string): Promise<void> {
  const token = await signIn(env, { subject: subjectOf('alena'), login: 'alena' });
  const client = new GraphQLClient(`${url}/graphql`, { headers: { authorization: `Bearer ${token}` } });
  const customer = `42060${Math.floor(Math.random() * 1e7)
    .toString()
    .padStart(7, '0')}`;
  const write = (text: string) => postMessage(env, url, customer, text);

  say('Alena, an operator, follows everything that happens:');
  showOperation(EVENTS);
  await using events = follow(url, token);
  const { seen } = events;
  await until('the first event, StreamProgress', () => seen.length > 0);

  say('Jana, a customer, writes three messages on WhatsApp. The beacon goes on, once.');
  for (const text of ['Dobrý den,', 'objednávka 1042 nedorazila.', 'Kde prosím je? 📦']) await write(text);
  await until('three MessageAdded', () => count(seen, 'MessageAdded') === 3);

  say('The table of conversations shows who waits:');
  showOperation(LIST);
  const listed = await client.request<Listed>(LIST);
  showAnswer(listed.conversations.nodes[0]);
  const conversationId = listed.conversations.nodes[0]?.id ?? '';

  say('Alena replies. The answer comes at once, the beacon goes off, the reply goes to WhatsApp …');
  const input = {
    conversationId,
    text: 'Dobrý den, zásilka dorazí zítra do 12 hodin.',
    idempotencyKey: crypto.randomUUID(),
  };
  showOperation(REPLY, { input });
  const replied = await client.request<{ replyToConversation: Payload }>(REPLY, { input });
  showDone(replied.replyToConversation);

  say('… and its status walks from PENDING to READ as Jana receives and reads it:');
  await until('MessageStatusChanged to READ', () => seen.some((event) => event.status === 'READ'));

  say('Jana says thank you. That needs no reply, and Alena ticks so:');
  await write('Děkuji moc! 🙏');
  await until('a fifth MessageAdded', () => count(seen, 'MessageAdded') === 5);
  const thanks = await client.request<Listed>(LIST);
  const tick = { conversationId, messageId: thanks.conversations.nodes[0]?.lastIncomingMessage.id, value: true };
  showOperation(WAIVE, { input: tick });
  const waived = await client.request<{ setNoReplyNeeded: Payload }>(WAIVE, { input: tick });
  showDone(waived.setNoReplyNeeded);
  await until('a fourth BeaconChanged', () => count(seen, 'BeaconChanged') === 4);

  say('Jana waits no more. That was the main job.');
}

/** An answer that the rest builds on: with an error in it there is nothing to go on with. */
function showDone(answer: Payload): void {
  showAnswer(answer);
  const [error] = answer.errors;
  if (error) throw new Error(`The demo ends here: ${error.message} (${error.code})`);
}

function follow(url: string, token: string) {
  const seen: Event[] = [];
  const socket = createClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    connectionParams: { authorization: `Bearer ${token}` },
  });
  socket.subscribe<{ events: Event }>(
    { query: EVENTS },
    {
      next: ({ data }) => {
        if (!data) return;
        seen.push(data.events);
        if (data.events.__typename !== 'StreamProgress') showEvent(data.events);
      },
      error: (error) => console.error('the subscription failed:', error),
      complete: () => {},
    },
  );
  return { seen, [Symbol.asyncDispose]: async () => socket.dispose() };
}

async function postMessage(env: Env, url: string, from: string, text: string): Promise<void> {
  const value = {
    messaging_product: 'whatsapp',
    metadata: { display_phone_number: '420777000111', phone_number_id: demoNumbers[0].phoneNumberId },
    contacts: [{ profile: { name: 'Jana Veselá' }, wa_id: from }],
    messages: [
      {
        from,
        id: `wamid.demo-${crypto.randomUUID()}`,
        timestamp: String(Math.floor(Date.now() / 1000)),
        type: 'text',
        text: { body: text },
      },
    ],
  };
  const body = JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [{ id: '100000000000001', changes: [{ field: 'messages', value }] }],
  });
  const signature = createHmac('sha256', env.metaAppSecret ?? '')
    .update(body)
    .digest('hex');
  const answer = await fetch(`${url}/webhooks/whatsapp`, {
    method: 'POST',
    body,
    headers: { 'x-hub-signature-256': `sha256=${signature}` },
  });
  if (!answer.ok)
    throw new Error(
      `The webhook answered ${answer.status}: does the server use the META_APP_SECRET that is set here, or else the secrets of ${env.dataDir}?`,
    );
}

function count(events: Event[], type: string): number {
  return events.filter((event) => event.__typename === type).length;
}

async function until(what: string, isReached: () => boolean): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  while (!isReached()) {
    if (Date.now() > deadline) throw new Error(`This did not come within ${DEADLINE_MS / 1000} s: ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
