import { gql, type GraphQLClient } from 'graphql-request';

/** What most stories look at, of every conversation, newest message first. */
export type ShownConversation = {
  id: string;
  number: number;
  unreadCount: number;
  createdAt: string;
  lastMessageAt: string;
  participant: {
    displayName: string;
    phoneNumber: string | null;
    businessScopedUserId: string | null;
    previousPhoneNumbers: string[];
  };
  beacon: { on: boolean; since: string | null; reason: string | null };
  window: { state: string; expiresAt: string | null; openedBy: string | null };
  lastMessage: { preview: string } | null;
  messages: { nodes: ShownMessage[] };
};

export type ShownMessage = {
  id: string;
  sequence: number;
  kind: string;
  direction: string;
  origin: string;
  preview: string;
  status: string | null;
  sentAt: string;
  editedAt: string | null;
  deletedByCustomerAt: string | null;
  forwarded: boolean;
  failure: { code: number | null; title: string; detail: string | null } | null;
  quoted: { preview: string } | null;
  referral: { headline: string | null; clickId: string | null } | null;
  reactions: { emoji: string; byCustomer: boolean }[];
  statusHistory: { status: string; at: string; inferred: boolean }[];
  content: Record<string, unknown> & { __typename: string };
};

const CONVERSATION = gql`
  query Conversation($id: ID!) {
    conversation(id: $id) {
      id
      number
      unreadCount
      createdAt
      lastMessageAt
      participant {
        displayName
        phoneNumber
        businessScopedUserId
        previousPhoneNumbers
      }
      beacon {
        on
        since
        reason
      }
      window {
        state
        expiresAt
        openedBy
      }
      lastMessage {
        preview
      }
      messages(first: 100) {
        nodes {
          id
          sequence
          kind
          direction
          origin
          preview
          status
          sentAt
          editedAt
          deletedByCustomerAt
          forwarded
          failure {
            code
            title
            detail
          }
          quoted {
            preview
          }
          referral {
            headline
            clickId
          }
          reactions {
            emoji
            byCustomer
          }
          statusHistory {
            status
            at
            inferred
          }
          content {
            __typename
            ... on TextContent {
              text
            }
            ... on MediaContent {
              caption
              attachment {
                fileName
                state
              }
            }
            ... on LocationContent {
              latitude
              longitude
              name
            }
            ... on ContactsContent {
              contacts {
                name
                phoneNumbers
              }
            }
            ... on InteractiveReplyContent {
              replyId
              title
              description
            }
            ... on SystemContent {
              systemText: text
            }
            ... on UnsupportedContent {
              providerType
              reason
            }
          }
        }
      }
    }
  }
`;

const NAMES = gql`
  query Names($first: Int!) {
    conversations(first: $first) {
      nodes {
        id
        participant {
          displayName
        }
      }
    }
  }
`;

export async function shownConversations(client: GraphQLClient, first = 100): Promise<ShownConversation[]> {
  return Promise.all((await named(client, first)).map(({ id }) => shown(client, id)));
}

/** The one whose customer shows so; fails where there is none, or more than one. */
export async function conversationWith(client: GraphQLClient, displayName: string): Promise<ShownConversation> {
  const found = (await named(client)).filter(({ participant }) => participant.displayName === displayName);
  const [only] = found;
  if (!only || found.length > 1) throw new Error(`${found.length} conversations with ${displayName}`);
  return shown(client, only.id);
}

type Named = { id: string; participant: { displayName: string } };

async function named(client: GraphQLClient, first = 100): Promise<Named[]> {
  return (await client.request<{ conversations: { nodes: Named[] } }>(NAMES, { first })).conversations.nodes;
}

/** One by one: all of them with all their messages are more than one operation may ask for. */
async function shown(client: GraphQLClient, id: string): Promise<ShownConversation> {
  return (await client.request<{ conversation: ShownConversation }>(CONVERSATION, { id })).conversation;
}
