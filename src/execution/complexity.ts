import { complexityFromQuery } from '@pothos/plugin-complexity';
import { GraphQLError, Kind, type DocumentNode, type GraphQLSchema, type OperationDefinitionNode } from 'graphql';
import { badInput, Refusal } from '../errors.ts';
import { tooMuch } from './limits.ts';

export type ComplexityLimits = { depth: number; fields: number; complexity: number };

export type Costed = {
  document: DocumentNode;
  node: OperationDefinitionNode;
  variables: Record<string, unknown>;
};

/** Points of one operation with these variables; throws where it is over a limit. Fragments are counted once each. */
export function costOf(schema: GraphQLSchema, operation: Costed, limits: ComplexityLimits): number {
  const { depth, breadth, complexity } = measure(schema, operation);
  if (depth > limits.depth) throw tooMuch('depth', depth, limits.depth);
  if (breadth > limits.fields) throw tooMuch('fields', breadth, limits.fields);
  if (complexity > limits.complexity) throw tooMuch('complexity', complexity, limits.complexity);
  return complexity;
}

function measure(schema: GraphQLSchema, { document, node, variables }: Costed) {
  try {
    // The library takes the first operation that it finds.
    const definitions = document.definitions.filter(
      (definition) => definition === node || definition.kind === Kind.FRAGMENT_DEFINITION,
    );
    return complexityFromQuery({ kind: Kind.DOCUMENT, definitions }, { schema, variables });
  } catch (error) {
    // Variables and arguments that do not fit: the same answer that running it would give.
    if (error instanceof GraphQLError || error instanceof Refusal) throw error;
    throw badInput('The operation cannot be measured.', 'query');
  }
}

const MAX_VARIABLE_DEPTH = 32;
const MAX_VARIABLE_VALUES = 10_000;

/** Coercion walks variables by recursion: what is nested beyond reason must not get there. */
export function checkVariables(variables: Record<string, unknown>): void {
  let level: unknown[] = [variables];
  let values = 0;
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_VARIABLE_DEPTH) throw variablesRefused(`are nested more than ${MAX_VARIABLE_DEPTH} levels deep`);
    values += level.length;
    if (values > MAX_VARIABLE_VALUES) throw variablesRefused(`hold more than ${MAX_VARIABLE_VALUES} values`);
    level = level.flatMap((value) => (typeof value === 'object' && value !== null ? Object.values(value) : []));
  }
}

function variablesRefused(how: string): Refusal {
  return new Refusal('COMPLEXITY_LIMIT', `The variables ${how}.`, { limit: 'variables' });
}
