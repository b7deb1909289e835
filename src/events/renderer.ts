import { execute, type GraphQLSchema } from 'graphql';
import type { Context } from '../context.ts';
import { isAway } from '../db/availability.ts';
import type { Operation, Operations } from '../execution/operation.ts';

/** One serialised answer. Where it is not whole, something failed, and the client must not go on from its cursor. */
export type Rendered = { payload: Buffer; isWhole: boolean };

/** Executes the operation with this root. Throws only where the database is away: the same may be asked again. */
export type Render = (root: unknown, context: Context) => Promise<Rendered>;

export function createRenderer(options: {
  schema: GraphQLSchema;
  operations: Operations;
}): (operation: Operation) => Render {
  const { schema, operations } = options;
  return ({ document, node, variables }) =>
    async (rootValue, contextValue) => {
      const operationName = node.name?.value;
      const result = await execute({
        schema,
        document,
        operationName,
        variableValues: variables,
        contextValue,
        rootValue,
      });
      const away = result.errors?.map((error) => error.originalError).find(isAway);
      if (away) throw away;
      const errors = result.errors && operations.mask(result.errors, contextValue.requestId);
      const payload = Buffer.from(JSON.stringify({ data: result.data, ...(errors && { errors }) }));
      return { payload, isWhole: !errors?.some(({ extensions }) => extensions?.code === 'INTERNAL') };
    };
}
