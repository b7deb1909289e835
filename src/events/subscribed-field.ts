import { getArgumentValues, getVariableValues, type GraphQLSchema } from 'graphql';
import type { Viewer } from '../auth.ts';
import { badInput } from '../errors.ts';
import type { Operation } from '../execution/operation.ts';
import type { StreamSource } from './stream-source.ts';
import { viewerKey } from './viewer-key.ts';

export type SubscribedField = { source: StreamSource; args: Record<string, unknown> };

/** The one field of a subscription with its arguments. */
export function subscribedField(schema: GraphQLSchema, { node, variables }: Operation): SubscribedField {
  const selection = node.selectionSet.selections[0];
  if (node.selectionSet.selections.length !== 1 || selection?.kind !== 'Field' || selection.directives?.length) {
    throw badInput('A subscription selects exactly one field, and not through a fragment or under a directive.');
  }
  const field = schema.getSubscriptionType()?.getFields()[selection.name.value];
  if (!field) throw badInput(`There is no subscription ${selection.name.value}.`);
  const coerced = getVariableValues(schema, node.variableDefinitions ?? [], variables);
  if (coerced.errors) throw coerced.errors[0] ?? badInput('The variables do not fit.');
  // The schema puts only stream sources under this name.
  const source = field.extensions.stream as StreamSource | undefined;
  if (!source) throw new Error(`the subscription ${field.name} says not what it streams`);
  return { source, args: getArgumentValues(field, selection, coerced.coerced) };
}

/** Subscriptions with the same key get the same payloads. */
export function groupKey({ document, text, node, variables }: Operation, viewer: Viewer, streamKey = ''): string {
  const asked = [text, node.name?.value ?? null, withoutCursor(node, variables)];
  return JSON.stringify([...asked, viewerKey(document, viewer), streamKey]);
}

/** Where a client resumes does not change what it asks. */
function withoutCursor(node: Operation['node'], variables: Record<string, unknown>): Record<string, unknown> {
  const field = node.selectionSet.selections[0];
  const after =
    field?.kind === 'Field' ? field.arguments?.find((argument) => argument.name.value === 'after')?.value : undefined;
  if (after?.kind !== 'Variable') return variables;
  const { [after.name.value]: _, ...rest } = variables;
  return rest;
}
