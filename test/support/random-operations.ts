import {
  getNamedType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isUnionType,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLSchema,
} from 'graphql';

export type Random = { below(limit: number): number; chance(share: number): boolean; pick<T>(from: readonly T[]): T };

/** The same numbers for the same seed. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    below: (limit) => Math.floor(next() * limit),
    chance: (share) => next() < share,
    pick(from) {
      const picked = from[Math.floor(next() * from.length)];
      if (picked === undefined) throw new Error('nothing to pick from');
      return picked;
    },
  };
}

const strange = [
  '',
  ' ',
  '\u0000',
  '%_\\',
  "'; DROP TABLE message; --",
  '💬'.repeat(50),
  'x'.repeat(5_000),
  '\ud800',
  '0',
];

/** An operation that the schema allows in form, with values that mean little. */
export function randomOperation(schema: GraphQLSchema, random: Random, ids: readonly string[]): string {
  const kind = random.pick(['query', 'query', 'mutation'] as const);
  const root = kind === 'query' ? schema.getQueryType() : schema.getMutationType();
  if (!root) throw new Error(`the schema has no ${kind}`);
  const fields = Object.values(root.getFields());
  const chosen = Array.from({ length: 1 + random.below(3) }, (_, index) => {
    return `f${index}: ${field(random.pick(fields), 0)}`;
  });
  return `${kind} { ${chosen.join(' ')} }`;

  function field(definition: GraphQLField<unknown, unknown>, depth: number): string {
    const args = definition.args.filter((arg) => isNonNullType(arg.type) || random.chance(0.6)).map(argument);
    const list = args.length > 0 ? `(${args.join(', ')})` : '';
    return `${definition.name}${list}${selection(getNamedType(definition.type), depth + 1)}`;
  }

  function argument({ name, type }: GraphQLArgument | GraphQLInputField): string {
    if (name === 'first' || name === 'last') return `${name}: ${random.pick([0, 1, 2, 10, 101, -5])}`;
    return `${name}: ${value(type, 0)}`;
  }

  function selection(type: GraphQLNamedType, depth: number): string {
    if (isLeafType(type)) return '';
    if (depth > 5) return ' { __typename }';
    if (isUnionType(type)) {
      const member = random.pick(type.getTypes());
      return ` { __typename ... on ${member.name} { ${some(Object.values(member.getFields()), depth)} } }`;
    }
    if (!isObjectType(type) && !isInterfaceType(type)) return '';
    return ` { __typename ${some(Object.values(type.getFields()), depth)} }`;
  }

  function some(candidates: GraphQLField<unknown, unknown>[], depth: number): string {
    return candidates
      .filter(() => random.chance(0.4))
      .map((candidate) => `a${depth}${candidate.name}: ${field(candidate, depth)}`)
      .join(' ');
  }

  function value(type: GraphQLInputType, depth: number): string {
    if (!isNonNullType(type) && random.chance(0.15)) return 'null';
    const bare = getNullableType(type);
    if (isListType(bare))
      return `[${Array.from({ length: random.below(3) }, () => value(bare.ofType, depth + 1)).join(', ')}]`;
    if (isEnumType(bare)) return random.pick(bare.getValues()).name;
    if (isInputObjectType(bare)) {
      const given = Object.values(bare.getFields()).filter(
        (entry) => isNonNullType(entry.type) || (depth < 3 && random.chance(0.4)),
      );
      return `{ ${given.map((entry) => `${entry.name}: ${value(entry.type, depth + 1)}`).join(', ')} }`;
    }
    return scalar(getNamedType(bare).name);
  }

  function scalar(name: string): string {
    if (name === 'Int') return String(random.pick([0, 1, -1, 42, 2_147_483_647]));
    if (name === 'Float') return String(random.pick([0, 1.5, -1e300]));
    if (name === 'Boolean') return String(random.chance(0.5));
    if (name === 'ID' && random.chance(0.8)) return JSON.stringify(random.pick(ids));
    if (name === 'DateTime' && random.chance(0.7))
      return JSON.stringify(new Date(random.below(2_000_000_000_000)).toISOString());
    return JSON.stringify(random.pick(strange));
  }
}

/** A payload with something in it changed, taken away, doubled or replaced by nonsense. */
export function mutated(value: unknown, random: Random): unknown {
  if (random.chance(0.03))
    return random.pick([null, 0, -1, '', 'x'.repeat(2_000), [], {}, true, '\u0000', [[[]]], 1e308]);
  if (Array.isArray(value)) {
    const items = value.filter(() => !random.chance(0.03)).map((item) => mutated(item, random));
    return random.chance(0.05) ? [...items, ...items] : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(() => !random.chance(0.03))
      .map(([key, item]) => [random.chance(0.01) ? '__proto__x' : key, mutated(item, random)]),
  );
}
