import { print } from 'graphql';
import { GraphQLClient } from 'graphql-request';
import { createClient } from 'graphql-ws';
import { LiveList } from '../client/live-list.ts';
import {
  ConversationListChangesDocument,
  ConversationListDocument,
  type ConversationListChangesSubscription,
  type ConversationListQueryVariables,
} from '../src/generated/client/graphql.ts';

/** Who waits for a reply, kept right in the terminal: TOKEN=… npm run live-list */
const { URL: url = 'http://localhost:4000/graphql', TOKEN: token = '' } = process.env;
const authorization = `Bearer ${token}`;
const variables: ConversationListQueryVariables = {
  first: 50,
  filter: { beaconOn: true },
  orderBy: { field: 'LAST_MESSAGE_AT', direction: 'DESC' },
};

const api = new GraphQLClient(url, { headers: { authorization } });
const socket = createClient({
  url: url.replace('http', 'ws'),
  connectionParams: { authorization },
  retryAttempts: Number.POSITIVE_INFINITY,
  // A CloseEvent has a code, an error of the network has none.
  shouldRetry: (event) => (event as { code?: number }).code !== 4403,
});

follow(await load());

async function load(): Promise<LiveList> {
  const { conversations } = await api.request(ConversationListDocument, variables);
  if (!conversations) throw new Error('This token may not see the conversations.');
  return new LiveList(conversations, variables.orderBy ?? {});
}

function follow(list: LiveList): void {
  show(list);
  // graphql-ws sends these again after a break, as they then stand.
  const following = { filter: variables.filter, after: list.cursor };
  socket.subscribe<ConversationListChangesSubscription>(
    { query: print(ConversationListChangesDocument), variables: following },
    {
      next({ data, errors }) {
        // Errors beside the data: this change could not be shown whole. Do not keep its cursor.
        if (!data || errors) return;
        list.apply(data.conversationListChanged);
        following.after = list.cursor;
        show(list);
      },
      error: (refusal) => void refused(refusal, list),
      complete: () => {},
    },
  );
}

async function refused(refusal: unknown, list: LiveList): Promise<void> {
  const codes = codesOf(refusal);
  if (codes.includes('CURSOR_EXPIRED')) return follow(await load());
  if (codes.includes('STREAM_LAGGED')) return follow(list);
  console.error(codes.length > 0 ? codes.join(', ') : 'The token is missing, wrong or revoked.');
  process.exitCode = 1;
}

function codesOf(refusal: unknown): string[] {
  if (!Array.isArray(refusal)) return [];
  return refusal.map((error: { extensions?: { code?: string } }) => error.extensions?.code ?? 'INTERNAL');
}

function show(list: LiveList): void {
  const rows = list.shown().map((row) => `  #${row.number} ${row.participant.displayName}`);
  console.log([`${rows.length} wait`, ...rows].join('\n'));
}
