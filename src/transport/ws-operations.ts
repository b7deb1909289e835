import type { ExecutionArgs, ExecutionResult, GraphQLError, GraphQLSchema } from 'graphql';
import { v7 as uuid } from 'uuid';
import type { Viewer } from '../auth.ts';
import type { Context } from '../context.ts';
import { Refusal } from '../errors.ts';
import type { Streams } from '../events/streams.ts';
import type { Subscription } from '../events/subscription.ts';
import { errorsOf, isErrors, type Operation, type Operations } from '../execution/operation.ts';
import { checkedOperation } from './request.ts';
import { Silence } from './silence.ts';
import { drained, isOverfull, lagged } from './socket.ts';
import type { WsConnection } from './ws-connection.ts';
import { WsSink } from './ws-sink.ts';

const MAX_SUBSCRIPTIONS = 100;

/** What graphql-ws hands from hook to hook, and keeps for as long as a subscription is open. */
export type RunArgs = ExecutionArgs & {
  viewer: Viewer;
  operation: Operation;
  operationId: string;
  connection: WsConnection;
};

/** The operations of a socket, in the words of graphql-ws. */
export type WsOperations = {
  prepare(connection: WsConnection, operationId: string, payload: unknown): Promise<RunArgs | readonly GraphQLError[]>;
  run(args: RunArgs): Promise<ExecutionResult>;
  follow(args: RunArgs): Promise<Silence>;
};

export function createWsOperations(options: {
  schema: GraphQLSchema;
  operations: Operations;
  streams: Streams;
  createContext: (viewer: Viewer, requestId: string, connectionId: string) => Context;
  slowClientMs: number;
}): WsOperations {
  const { schema, operations, streams, createContext, slowClientMs } = options;

  return {
    async prepare(connection, operationId, payload) {
      const { viewer } = connection;
      if (!viewer) return errorsOf(new Refusal('UNAUTHENTICATED', 'Sign in first.'));
      const operation = await admit(payload, viewer);
      if (isErrors(operation)) return operation;
      const { document, node, variables } = operation;
      if (node.operation === 'subscription') {
        if (connection.open >= MAX_SUBSCRIPTIONS) return errorsOf(tooManySubscriptions());
        connection.open += 1;
      }
      const asked = { document, operationName: node.name?.value, variableValues: variables };
      // Whoever runs it makes a context: here it would live as long as the subscription, with all its loaders (11 kB).
      return { schema, ...asked, contextValue: null, viewer, operation, operationId, connection };
    },
    run: ({ operation, viewer, connection }) => operations.run(operation, createContext(viewer, uuid(), connection.id)),
    async follow({ operation, operationId, viewer, connection }) {
      let subscription: Subscription | null = null;
      const silence = new Silence(() => {
        connection.open -= 1;
        if (!subscription) return;
        subscription.close();
        connection.subscriptions.delete(subscription);
      });
      try {
        // The hub writes the frames itself; the protocol only waits for the end.
        const sink = new WsSink(connection, operationId, {
          drained: () => drainedOrClosed(connection, operationId),
          end: (refusal) => silence.fail(refusal),
        });
        subscription = await streams.subscribe({ operation, viewer, after: null, sink });
        // It may have failed, or the client may have gone, while it was being opened: nobody would close it.
        if (silence.isEnded || !connection.isOpen) subscription.close();
        else connection.subscriptions.add(subscription);
        // Rights that changed meanwhile were told to those that were open.
        if (connection.viewer && connection.viewer !== viewer) void subscription.reopen(connection.viewer);
      } catch (error) {
        silence.fail(error);
      }
      return silence;
    },
  };

  async function admit(payload: unknown, viewer: Viewer): Promise<Operation | readonly GraphQLError[]> {
    try {
      return await operations.admit(checkedOperation(payload), viewer);
    } catch (error) {
      return errorsOf(error);
    }
  }

  async function drainedOrClosed(connection: WsConnection, id: string): Promise<boolean> {
    const { socket, tcp } = connection;
    if (await drained(tcp, slowClientMs)) return true;
    if (!connection.isOpen) return false;
    const payload = operations.mask([lagged()], uuid());
    if (!isOverfull(tcp)) socket.send(JSON.stringify({ id, type: 'error', payload }));
    connection.closeLagged();
    return false;
  }
}

function tooManySubscriptions(): Refusal {
  return new Refusal('RATE_LIMITED', `A socket has at most ${MAX_SUBSCRIPTIONS} subscriptions.`, {
    limit: 'subscriptions',
  });
}
