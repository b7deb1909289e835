import {
  getNamedType,
  isAbstractType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLObjectType,
  type GraphQLSchema,
} from 'graphql';

type Field = GraphQLField<unknown, unknown>;

const samples: Record<string, unknown> = {
  Int: 1,
  Float: 1.5,
  Boolean: true,
  String: 'x',
  ID: Buffer.from('Nothing:x').toString('base64'),
  DateTime: '2030-01-01T00:00:00.000Z',
  Date: '2030-01-01',
  TimeZone: 'Europe/Prague',
  PhoneNumber: '+420777123456',
  MetaId: '123456789012345',
  EventCursor: 'x',
  LanguageCode: 'cs',
  ConversationFilterJSON: {},
  File: null,
};

/** A value of an input type: only what is required, so that a field's rule is what is met first. */
export function sampleOf(type: GraphQLInputType): unknown {
  if (isNonNullType(type)) return sampleOf(type.ofType);
  if (isListType(type)) return [sampleOf(type.ofType)];
  if (isEnumType(type)) return type.getValues()[0]?.name;
  if (isInputObjectType(type)) {
    const required = Object.values(type.getFields()).filter(isRequiredInputField);
    return Object.fromEntries(required.map((field) => [field.name, sampleOf(field.type)]));
  }
  if (!(type.name in samples)) throw new Error(`no sample of the scalar ${type.name}: add one to test/support/walk.ts`);
  return samples[type.name];
}

/** One root field with sample arguments, and a selection below it. */
export function operationOn(
  kind: 'query' | 'mutation' | 'subscription',
  field: Field,
  selection: string,
): { query: string; variables: Record<string, unknown> } {
  const given = field.args.filter((argument) => isRequiredArgument(argument) || argument.name === 'first');
  const declared = given.map((argument) => `$${argument.name}: ${String(argument.type)}`).join(', ');
  const passed = given.map((argument) => `${argument.name}: $${argument.name}`).join(', ');
  const variables = Object.fromEntries(given.map((argument) => [argument.name, sampleOf(argument.type)]));
  const head = declared === '' ? kind : `${kind} Walk(${declared})`;
  return { query: `${head} { ${field.name}${passed === '' ? '' : `(${passed})`} ${selection} }`, variables };
}

export function selectionOf(field: Field): string {
  return isLeafType(getNamedType(field.type)) ? '' : '{ __typename }';
}

export function usesFile({ args }: Field): boolean {
  return args.some((argument) => mentionsFile(argument));
}

function mentionsFile({ type }: GraphQLArgument): boolean {
  const named = getNamedType(type);
  if (!isInputObjectType(named)) return named.name === 'File';
  return Object.values(named.getFields()).some((field) => getNamedType(field.type).name === 'File');
}

/**
 * A field with all its scalars, and those of what it leads to, `depth` steps far. Fields that need arguments are given
 * samples.
 */
export function fieldText(schema: GraphQLSchema, field: Field, depth: number): string {
  const below = getNamedType(field.type);
  const args = field.args.filter((argument) => isRequiredArgument(argument) || argument.name === 'first');
  const passed = args.map((argument) => `${argument.name}: ${literalOf(sampleOf(argument.type))}`).join(', ');
  const head = `${field.name}${passed === '' ? '' : `(${passed})`}`;
  if (isLeafType(below)) return head;
  return `${head} { __typename ${typesOf(schema, below)
    .map((possible) => `... on ${possible.name} { __typename ${fieldsBelow(schema, possible, depth - 1).join(' ')} }`)
    .join(' ')} }`;
}

function fieldsBelow(schema: GraphQLSchema, type: GraphQLObjectType, depth: number): string[] {
  const fields = Object.values(type.getFields()).map((field) => {
    const alias = `${type.name}_${field.name}`;
    const isLeaf = isLeafType(getNamedType(field.type));
    if (!isLeaf && depth <= 0) return null;
    return `${alias}: ${fieldText(schema, field, depth)}`;
  });
  return fields.filter((text) => text !== null);
}

function typesOf(schema: GraphQLSchema, type: ReturnType<typeof getNamedType>): GraphQLObjectType[] {
  if (isAbstractType(type)) return [...schema.getPossibleTypes(type)];
  return isObjectType(type) ? [type] : [];
}

function literalOf(value: unknown): string {
  return JSON.stringify(value);
}
