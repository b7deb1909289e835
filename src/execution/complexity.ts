import { complexityFromQuery } from '@pothos/plugin-complexity';
import { GraphQLError, Kind, type DocumentNode, type GraphQLSchema, type OperationDefinitionNode } from 'graphql';
import { badInput, Refusal } from '../errors.ts';
import { tooMuch } from './limits.ts';
import { LRUCache } from './lru-cache.ts';

export type ComplexityLimits = { depth: number; fields: number; complexity: number };

export type Costed = {
  document: DocumentNode;
  node: OperationDefinitionNode;
  variables: Record<string, unknown>;
};

type Measured = { depth: number; breadth: number; complexity: number };

const MAX_KNOWN = 50;
const MAX_KNOWN_LENGTH = 500;
/** What was measured before, by the text of the variables: for most requests that is all that changes. */
const known = new WeakMap<OperationDefinitionNode, LRUCache<string, Measured>>();

/** Points of one operation with these variables; throws where it is over a limit. Fragments are counted once each. */
export function costOf(schema: GraphQLSchema, operation: Costed, limits: ComplexityLimits): number {
  const { depth, breadth, complexity } = measureOnce(schema, operation);
  if (depth > limits.depth) throw tooMuch('depth', depth, limits.depth);
  if (breadth > limits.fields) throw tooMuch('fields', breadth, limits.fields);
  if (complexity > limits.complexity) throw tooMuch('complexity', complexity, limits.complexity);
  return complexity;
}

function measureOnce(schema: GraphQLSchema, operation: Costed): Measured {
  const { node, variables } = operation;
  const key = JSON.stringify(variables);
  if (key.length > MAX_KNOWN_LENGTH) return measure(schema, operation);
  const before = known.get(node) ?? new LRUCache<string, Measured>(MAX_KNOWN);
  known.set(node, before);
  const measured = before.get(key) ?? measure(schema, operation);
  before.set(key, measured);
  return measured;
}

function measure(schema: GraphQLSchema, { document, node, variables }: Costed): Measured {
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
