import type { GraphQLFieldResolver, GraphQLSchema } from 'graphql';
import { actorFrom } from './actor.ts';
import type { Context } from '../context.ts';
import { ForbiddenError, Refusal } from '../errors.ts';

/** Every mutation that rights refuse is written to the audit log, whoever wrote the mutation. */
export function auditRefusals(schema: GraphQLSchema): GraphQLSchema {
  for (const field of Object.values(schema.getMutationType()?.getFields() ?? {})) {
    if (field.resolve) field.resolve = withAudit(field.name, field.resolve);
  }
  return schema;
}

type Resolve = GraphQLFieldResolver<unknown, Context>;

function withAudit(name: string, resolve: Resolve): Resolve {
  return async (root, args, context, info) => {
    try {
      const answer: unknown = await resolve(root, args, context, info);
      if (refusesRight(answer)) await record(name, context);
      return answer;
    } catch (error) {
      if (error instanceof Refusal && error.extensions.code === 'FORBIDDEN') await record(name, context);
      throw error;
    }
  };
}

function refusesRight(answer: unknown): boolean {
  if (typeof answer !== 'object' || answer === null || !('errors' in answer)) return false;
  return Array.isArray(answer.errors) && answer.errors.some((error) => error instanceof ForbiddenError);
}

/** What cannot be written down must not change the answer. */
async function record(attempted: string, { viewer, recordRefusal, log }: Context): Promise<void> {
  if (!viewer) return;
  try {
    await recordRefusal(actorFrom(viewer), attempted);
  } catch (error) {
    log.error({ err: error }, 'a refused attempt could not be written to the audit log');
  }
}
