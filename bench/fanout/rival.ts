import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { useServer } from 'graphql-ws/use/ws';
import { createPubSub, createSchema, createYoga } from 'graphql-yoga';
import { WebSocketServer, type WebSocket } from 'ws';

/**
 * What our fan-out is compared with: `node rival.ts raw|documented`. Both send what the parent gives them: `raw` as one
 * frame by `ws.send`, `documented` as the set-up that the documentation of yoga and graphql-ws shows.
 */
type Event = Record<string, unknown>;
const [kind] = process.argv.slice(2);
const server = createServer();
const publish = kind === 'raw' ? raw(server) : documented(server);

process.on('message', ({ payload }: { payload: { data: { messageAdded: Event } } }) => publish(payload));
server.listen(0, '127.0.0.1', () => {
  // A listening TCP server has an address with a port.
  const { port } = server.address() as AddressInfo;
  console.log(JSON.stringify({ url: `http://127.0.0.1:${port}`, msg: 'listening' }));
});

function raw(http: Server): (payload: unknown) => void {
  const ids = new Map<WebSocket, string>();
  new WebSocketServer({ server: http, perMessageDeflate: false }).on('connection', (socket) => {
    socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as { type: string; id: string };
      if (frame.type === 'connection_init') socket.send('{"type":"connection_ack"}');
      else ids.set(socket, frame.id);
    });
    socket.on('close', () => ids.delete(socket));
  });
  return (payload) => {
    const text = JSON.stringify(payload);
    for (const [socket, id] of ids) socket.send(`{"id":"${id}","type":"next","payload":${text}}`);
  };
}

function documented(http: Server): (payload: { data: { messageAdded: Event } }) => void {
  const pubSub = createPubSub<{ messageAdded: [Event] }>();
  const yoga = createYoga({
    logging: false,
    schema: createSchema({
      typeDefs: `type Query { x: Int }
        type Name { displayName: String }
        type Conversation { number: Int unreadCount: Int participant: Name }
        type Message { id: ID preview: String sentAt: String direction: String kind: String conversation: Conversation }
        type MessageAdded { eventId: ID cursor: String occurredAt: String conversationId: ID message: Message }
        type Subscription { messageAdded: MessageAdded }`,
      resolvers: {
        Subscription: {
          messageAdded: { subscribe: () => pubSub.subscribe('messageAdded'), resolve: (event: Event) => event },
        },
      },
    }),
  });
  useServer(
    {
      // The types of the documented wiring are as loose as this.
      execute: (args) => (args.rootValue as Wired).execute(args),
      subscribe: (args) => (args.rootValue as Wired).subscribe(args),
      async onSubscribe(ctx, _id, params) {
        const { schema, execute, subscribe, contextFactory, parse, validate } = yoga.getEnveloped({
          ...ctx,
          req: ctx.extra.request,
          socket: ctx.extra.socket,
          params,
        });
        const args = {
          schema,
          operationName: params.operationName,
          document: parse(params.query),
          variableValues: params.variables,
          contextValue: await contextFactory(),
          rootValue: { execute, subscribe },
        };
        const errors = validate(args.schema, args.document);
        return errors.length > 0 ? errors : args;
      },
    },
    new WebSocketServer({ server: http, path: '/graphql' }),
  );
  return ({ data }) => pubSub.publish('messageAdded', data.messageAdded);
}

type Wired = { execute: (args: unknown) => never; subscribe: (args: unknown) => never };
