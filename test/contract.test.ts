import { readFileSync } from 'node:fs';
import {
  buildSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isUnionType,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLNamedType,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { schema } from '../src/schema/schema.ts';

const contract = buildSchema(readFileSync(new URL('fixtures/contract.graphql', import.meta.url), 'utf8'));
const promised = Object.values(contract.getTypeMap()).filter((type) => !type.name.startsWith('__'));

describe('the public contract', () => {
  it.each(promised.map((type) => [type.name, type] as const))('%s is what was promised', (name, type) => {
    expect(differences(type, schema.getType(name))).toEqual([]);
  });
});

/** What is there beyond the promise is welcome; what is promised must be there, and as promised. */
function differences(promise: GraphQLNamedType, built: GraphQLNamedType | undefined): string[] {
  if (promise.constructor !== built?.constructor) return [`${promise.name} is another kind of type`];
  if (isEnumType(promise) && isEnumType(built)) return missing(names(promise.getValues()), names(built.getValues()));
  if (isUnionType(promise) && isUnionType(built)) return missing(names(built.getTypes()), names(promise.getTypes()));
  if ((isObjectType(promise) && isObjectType(built)) || (isInterfaceType(promise) && isInterfaceType(built))) {
    const interfaces = missing(names(built.getInterfaces()), names(promise.getInterfaces()));
    return [...interfaces, ...fieldDifferences(promise.getFields(), built.getFields())];
  }
  if (isInputObjectType(promise) && isInputObjectType(built))
    return fieldDifferences(promise.getFields(), built.getFields());
  return [];
}

type Field = GraphQLField<unknown, unknown> | GraphQLInputField;

function fieldDifferences(promise: Record<string, Field>, built: Record<string, Field>): string[] {
  return Object.values(promise).flatMap((field) => {
    const own = built[field.name];
    if (!own) return [`${field.name} is missing`];
    const type =
      String(field.type) === String(own.type)
        ? []
        : [`${field.name}: ${String(own.type)} instead of ${String(field.type)}`];
    return [...type, ...argumentDifferences(field, own)];
  });
}

function argumentDifferences(promise: Field, built: Field): string[] {
  if (!('args' in promise) || !('args' in built)) return [];
  return promise.args.flatMap((argument) => {
    const own = built.args.find((candidate) => candidate.name === argument.name);
    if (String(own?.type) === String(argument.type)) return [];
    return [`${promise.name}(${argument.name}): ${String(own?.type)} instead of ${String(argument.type)}`];
  });
}

function names(things: readonly { name: string }[]): string[] {
  return things.map((thing) => thing.name);
}

function missing(wanted: string[], present: string[]): string[] {
  return wanted.filter((name) => !present.includes(name)).map((name) => `${name} differs`);
}
