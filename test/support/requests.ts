import { gql, type GraphQLClient } from 'graphql-request';
import { number1, type TestServer } from './server.ts';

export type UserErrorAnswer = {
  __typename: string;
  code: string;
  message: string;
  path: string[] | null;
  rule?: string;
  currentVersion?: number;
};

export type RequestAnswer = {
  id: string;
  code: string;
  name: string | null;
  description: string | null;
  version: number;
  visibility: string;
  status: { key: string; closed: boolean };
  company: { id: string; name: string } | null;
  contact: { id: string; name: string | null } | null;
  template: { name: string } | null;
  assignee: { displayName: string } | null;
  customFields: { field: { key: string }; value: string | null }[];
  tags: { id: string; name: string }[];
  attachments: { id: string; fileName: string | null }[];
  createdBy: { displayName: string } | null;
  linkedMessages: { nodes: { id: string; requestLinks: { code: string; role: string }[] }[] };
};

export type Payload = {
  request: RequestAnswer | null;
  conversation: { id: string } | null;
  replayed: boolean;
  errors: UserErrorAnswer[];
};

export const ERRORS = /* GraphQL */ `
  errors {
    __typename
    code
    message
    path
    ... on ValidationError {
      rule
    }
    ... on StaleStateError {
      currentVersion
    }
  }
`;

export const REQUEST = /* GraphQL */ `
  request {
    id
    code
    name
    description
    version
    visibility
    status {
      key
      closed
    }
    company {
      id
      name
    }
    contact {
      id
      name
    }
    template {
      name
    }
    assignee {
      displayName
    }
    customFields {
      field {
        key
      }
      value
    }
    tags {
      id
      name
    }
    attachments {
      id
      fileName
    }
    createdBy {
      displayName
    }
    linkedMessages(first: 10) {
      nodes {
        id
        requestLinks {
          code
          role
        }
      }
    }
  }
  conversation {
    id
  }
`;

export const CREATE = gql`
  mutation Create($input: CreateRequestInput!) {
    createRequest(input: $input) {
      ${REQUEST}
      replayed
      ${ERRORS}
    }
  }
`;

export async function create(client: GraphQLClient, input: Record<string, unknown>): Promise<Payload> {
  const whole = { name: 'Rozbitá váza', description: 'Popis', idempotencyKey: crypto.randomUUID(), ...input };
  return (await client.request<{ createRequest: Payload }>(CREATE, { input: whole })).createRequest;
}

/** A request that must come into being. */
export async function created(client: GraphQLClient, input: Record<string, unknown>): Promise<RequestAnswer> {
  const { request, errors } = await create(client, input);
  if (!request) throw new Error(`the request was refused: ${JSON.stringify(errors)}`);
  return request;
}

let phone = 420_604_000_000;

/** A new customer has written these texts; gives the conversation and its messages, oldest first. */
export async function beginConversation(
  server: TestServer,
  texts: string[] = ['Dobrý den, váza je rozbitá.'],
  from = `+${(phone += 1)}`,
): Promise<{ id: string; messageIds: string[]; from: string }> {
  for (const text of texts)
    await server.sandbox.customerWrites({ phoneNumberId: number1.phoneNumberId, from, name: `Zákazník ${from}`, text });
  const { conversations } = await (
    await server.as('alena')
  ).request<{ conversations: { nodes: { id: string; messages: { nodes: { id: string }[] } }[] } }>(
    '{ conversations(first: 1) { nodes { id messages(first: 100) { nodes { id } } } } }',
  );
  const [conversation] = conversations.nodes;
  if (!conversation) throw new Error('the conversation did not begin');
  return { id: conversation.id, messageIds: conversation.messages.nodes.map(({ id }) => id), from };
}

/** Ids by name of what the demo data brought. */
export async function formChoices(client: GraphQLClient): Promise<Record<string, string>> {
  const answer = await client.request<Record<string, { id: string; name: string }[]>>(
    `{ companies(first: 100) { id name } contacts(first: 100) { id name } requestTemplates { id name } tags { id name } }`,
  );
  return Object.fromEntries(Object.values(answer).flatMap((rows) => rows.map(({ id, name }) => [name, id])));
}
