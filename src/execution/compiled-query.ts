import {
  execute,
  getNamedType,
  getVariableValues,
  GraphQLScalarType,
  GraphQLSchema,
  isAbstractType,
  isObjectType,
  Kind,
  OperationTypeNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  type OperationDefinitionNode,
  type VariableDefinitionNode,
} from 'graphql';
import { compileQuery, isCompiledQuery } from 'graphql-jit';
import type { Context } from '../context.ts';

type Asked = { document: DocumentNode; node: OperationDefinitionNode; variables: Record<string, unknown> };
type Compiled = {
  guarded: GraphQLObjectType[];
  query: (context: Context, variables: object) => Promise<ExecutionResult>;
};

/** What resolvers give for enums and GraphQL's own scalars is of their type; looking at each was a tenth of a list's time. */
const compilerOptions = { disablingCapturingStackErrors: true, disableLeafSerialization: true };

/** What is asked once is not worth the milliseconds of compiling it. */
const COMPILE_AT_RUN = 3;

/**
 * Runs operations, queries that come again as compiled functions: that halves the time of a list. Only an answer
 * without any error is taken from those; graphql-js gives all others, so that rights, nulls and errors are always its own.
 */
export function createRunner(schema: GraphQLSchema, compilable: () => GraphQLSchema) {
  const runs = new WeakMap<OperationDefinitionNode, number>();
  const known = new WeakMap<OperationDefinitionNode, Compiled | null>();
  let target: GraphQLSchema | null = null;

  return async (asked: Asked, context: Context): Promise<ExecutionResult> => {
    const compiled = compiledOf(asked);
    const answer = compiled && isEverythingOpen(compiled, context) ? await attempt(compiled, asked, context) : null;
    if (answer) return answer;
    const { document, node, variables } = asked;
    return execute({
      schema,
      document,
      operationName: node.name?.value,
      variableValues: variables,
      contextValue: context,
    });
  };

  function compiledOf({ document, node }: Asked): Compiled | null {
    const held = known.get(node);
    if (held !== undefined || node.operation !== OperationTypeNode.QUERY) return held ?? null;
    const run = (runs.get(node) ?? 0) + 1;
    runs.set(node, run);
    if (run < COMPILE_AT_RUN) return null;
    const compiled = compile(document, node);
    known.set(node, compiled);
    return compiled;
  }

  function compile(document: DocumentNode, node: OperationDefinitionNode): Compiled | null {
    const guarded = guardedTypes(schema, document);
    if (!guarded) return null;
    try {
      target ??= withCoercedType(compilable());
      const plain = withCoercedVariables(document, node);
      const compiled = compileQuery(target, plain, node.name?.value, compilerOptions);
      if (!isCompiledQuery(compiled)) return null;
      return { guarded, query: async (context, variables) => compiled.query(undefined, context, variables) };
    } catch {
      return null;
    }
  }

  async function attempt({ query }: Compiled, { node, variables }: Asked, context: Context) {
    const { coerced } = getVariableValues(schema, node.variableDefinitions ?? [], variables, { maxErrors: 1 });
    if (!coerced) return null;
    try {
      const result = await query(context, coerced);
      return result.errors ? null : result;
    } catch {
      return null;
    }
  }
}

/**
 * The type of every variable in what is compiled: graphql-js has read the values against their own types before. The
 * compiler would write those types out level by level: with a filter that holds filters the process stood still for 5 s.
 */
const coercedType = new GraphQLScalarType({ name: 'Coerced' });

function withCoercedType(schema: GraphQLSchema): GraphQLSchema {
  const config = schema.toConfig();
  return new GraphQLSchema({ ...config, types: [...config.types, coercedType], assumeValid: true });
}

function withCoercedVariables(document: DocumentNode, node: OperationDefinitionNode): DocumentNode {
  const variableDefinitions = node.variableDefinitions?.map(({ variable }): VariableDefinitionNode => {
    const type = { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: coercedType.name } } as const;
    return { kind: Kind.VARIABLE_DEFINITION, variable, type };
  });
  const operation = { ...node, variableDefinitions };
  return { ...document, definitions: document.definitions.map((each) => (each === node ? operation : each)) };
}

/** The rights of whole types, which compiled functions do not look at: here once for an operation, not for every row. */
function isEverythingOpen({ guarded }: Compiled, context: Context): boolean {
  try {
    // Rights of a type read the row and the context only; one that depends on the row sees an empty row, and where that
    // is refused graphql-js looks at each.
    const info = {} as GraphQLResolveInfo;
    return guarded.every((type) => !(type.isTypeOf?.({}, context, info) instanceof Promise));
  } catch {
    return false;
  }
}

/** Every type with rights that the document may touch; null where it holds what compiled functions treat differently. */
function guardedTypes(schema: GraphQLSchema, document: DocumentNode): GraphQLObjectType[] | null {
  const touched = new Set<GraphQLObjectType>();
  let isPlain = true;
  const types = new TypeInfo(schema);
  const look = visitWithTypeInfo(types, {
    Directive: () => void (isPlain = false),
    Field: ({ name }) => void (isPlain &&= !/^__(schema|type)$/.test(name.value)),
    SelectionSet() {
      const type = getNamedType(types.getParentType());
      if (isObjectType(type)) touched.add(type);
      if (isAbstractType(type)) for (const possible of schema.getPossibleTypes(type)) touched.add(possible);
    },
  });
  visit(document, look);
  return isPlain ? [...touched].filter((type) => type.isTypeOf) : null;
}
