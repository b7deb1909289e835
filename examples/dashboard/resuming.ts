import type { Client } from 'graphql-ws';

/**
 * A graphql-ws client that goes on where it was cut off: after every payload the operation's variable `after` is the
 * cursor of that payload, and graphql-ws sends the operation again as it then stands.
 */
export function resuming(client: Client, cursorOf: (data: Record<string, unknown>) => string | null): Client {
  return {
    ...client,
    subscribe(payload, sink) {
      const kept = { ...payload, variables: { ...payload.variables } };
      return client.subscribe(kept, {
        ...sink,
        next(result) {
          // An event that failed on the server is asked for again after a reconnect: its cursor is not taken.
          const cursor = result.data && !result.errors ? cursorOf(result.data) : null;
          if (cursor) kept.variables = Object.assign(kept.variables, { after: cursor });
          // The caller's sink is for the data of its own document, which this function does not know.
          sink.next(result as never);
        },
      });
    },
  };
}
