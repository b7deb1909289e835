import { all, any, type Condition, type ConditionColumn } from '../condition.ts';
import { textSql, whereSql, type TextMatch } from './conversation-where.ts';
import type { Parameters } from './parameters.ts';

/** Rows that an index finds, and that lead to conversations. */
export type Source =
  /** Customers whose text matches one of each group. */
  | { of: 'participant'; groups: TextMatch[][] }
  | { of: 'message'; pattern: string }
  /** Those for which one of the conditions holds. */
  | { of: 'conversation'; conditions: Condition[] };

/** About how many rows a source of one text or one condition has; without any, how many there are. */
export type RowsOf = (source: Source) => number;

/** What a few rows are found by through an index of the conversation itself. */
const indexed = new Set<ConditionColumn>([
  'number',
  'businessNumberId',
  'lastRepliedById',
  'requestCodes',
  'lastMessageAt',
  'createdAt',
  'beaconOn',
  'unreadCount',
]);

/**
 * Sources that together lead to every conversation for which the condition holds, and to as few others as can be told
 * beforehand; null where each conversation has to be looked at.
 */
export function sourcesOf(condition: Condition, rowsOf: RowsOf): Source[] | null {
  if (condition.is === 'any' && condition.of.length === 0) return [];
  if (isPlain(condition)) return isIndexed(condition) ? [{ of: 'conversation', conditions: [condition] }] : null;
  if (condition.is === 'message-like') return [{ of: 'message', pattern: condition.pattern }];
  if (condition.is === 'like' || condition.is === 'begins') return textSources(condition);
  if (condition.is !== 'all' && condition.is !== 'any') return null;
  const parts = [plainPart(condition), ...condition.of.filter((part) => !isPlain(part))];
  const found = parts.map((part) => sourcesOf(part, rowsOf));
  const known = found.filter((sources) => sources !== null);
  if (condition.is === 'all') return fewest([...known, ...met(known)], rowsOf);
  return known.length === found.length ? joined(known.flat()) : null;
}

/** Whether the row alone tells, and quickly. */
export function isPlain(condition: Condition): boolean {
  if (condition.is === 'not') return isPlain(condition.of);
  if (condition.is === 'all' || condition.is === 'any') return condition.of.every(isPlain);
  return 'column' in condition && condition.column !== 'participantSearch' && condition.column !== 'lastMessageSearch';
}

/** What can be told by the row itself, of those parts that must hold or of those of which one must hold. */
export function plainPart({ is, of }: Extract<Condition, { is: 'all' | 'any' }>): Condition {
  return is === 'all' ? all(...of.filter(isPlain)) : any(...of.filter(isPlain));
}

function isIndexed(condition: Condition): boolean {
  if (condition.is === 'all') return condition.of.some(isIndexed);
  if (condition.is === 'any') return condition.of.every(isIndexed);
  return 'column' in condition && condition.is !== 'null' && indexed.has(condition.column);
}

function textSources(match: TextMatch): Source[] | null {
  if (match.column === 'participantSearch') return [{ of: 'participant', groups: [[endOfNumber(match)]] }];
  if (match.column !== 'lastMessageSearch' || match.is !== 'like') return null;
  return [{ of: 'message', pattern: contained(match.pattern) }];
}

/** The numbers of a country begin alike, and an index takes longest over what all have. */
function endOfNumber(match: TextMatch): TextMatch {
  return match.is === 'like' ? { ...match, pattern: match.pattern.replace(/^%\n?%?\+?\d+(?=\d{6}%$)/, '%') } : match;
}

/** A message says all that the table shows of it, and perhaps more. */
function contained(pattern: string): string {
  return /^%.*(?<!\\)%$/s.test(pattern) ? pattern : `%${pattern}%`;
}

/** What is looked for in one table in several ways is one look. */
function joined(sources: readonly Source[]): Source[] {
  const [names, others] = split(sources);
  const rows = others.flatMap((source) => (source.of === 'conversation' ? source.conditions : []));
  return [
    ...(names.length > 0 ? [{ of: 'participant' as const, groups: [widest(names.flat())] }] : []),
    ...(rows.length > 0 ? [{ of: 'conversation' as const, conditions: rows }] : []),
    ...others.filter(({ of }) => of !== 'conversation'),
  ];
}

/** Whoever has digits in their number has those that stand in them. */
function widest(matches: readonly TextMatch[]): TextMatch[] {
  const digits = matches.flatMap((match) =>
    match.is === 'like' && /^%\d+%$/.test(match.pattern) ? match.pattern : [],
  );
  const isInOther = (match: TextMatch) =>
    match.is === 'like' && digits.some((each) => each !== match.pattern && match.pattern.includes(each.slice(1, -1)));
  return matches.filter((match) => !isInOther(match));
}

/**
 * Where several texts must hold together: each stands in the customer's name, or one of them stands elsewhere. Two words
 * may be common among names and hardly ever stand in one.
 */
function met(parts: readonly Source[][]): Source[][] {
  const texts = parts.map(split).filter(([names]) => names.length === 1);
  if (texts.length < 2) return [];
  return [[{ of: 'participant', groups: texts.flatMap(([names]) => names) }, ...texts.flatMap(([, others]) => others)]];
}

/** The groups of customers that have one group only, and the other sources. */
function split(sources: readonly Source[]): [TextMatch[][], Source[]] {
  const isName = (source: Source) => source.of === 'participant' && source.groups.length === 1;
  return [
    sources.flatMap((source) => (source.of === 'participant' && isName(source) ? source.groups : [])),
    sources.filter((source) => !isName(source)),
  ];
}

function fewest(choices: readonly Source[][], rowsOf: RowsOf): Source[] | null {
  const counted = choices.map((sources) => ({ sources, rows: countRows(sources, rowsOf) }));
  return counted.toSorted((one, other) => one.rows - other.rows)[0]?.sources ?? null;
}

/** Independent of each other, as the planner takes them to be. */
export function countRows(sources: readonly Source[], rowsOf: RowsOf): number {
  const counts = sources.map((source) => {
    if (source.of === 'message') return rowsOf(source);
    if (source.of === 'conversation')
      return sum(source.conditions, (condition) => rowsOf({ ...source, conditions: [condition] }));
    const everybody = rowsOf({ ...source, groups: [] });
    const shares = source.groups.map(
      (group) => sum(group, (match) => rowsOf({ ...source, groups: [[match]] })) / everybody,
    );
    return shares.reduce((rows, share) => rows * Math.min(1, share), everybody);
  });
  return sum(counts, (count) => count);
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

/** The rows of a source, as what follows SELECT in SQL. */
export function rowsSql(source: Source, parameters: Parameters): string {
  switch (source.of) {
    case 'participant': {
      const groups = source.groups.map(
        (group) => `(${group.map((match) => textSql('p.search_text', match, parameters)).join(' OR ')})`,
      );
      return `p.id FROM participant p WHERE ${groups.join(' AND ') || 'true'}`;
    }
    case 'message':
      return `m.conversation_id AS id FROM message m WHERE m.search_text LIKE ${parameters.add(source.pattern)}`;
    case 'conversation':
      return `c.id FROM conversation c WHERE ${source.conditions.map((condition) => whereSql(condition, parameters)).join(' OR ') || 'true'}`;
  }
}

/** Whether one of the sources leads to conversation `c`; `messages` names what was read of them before. */
export function foundSql(
  sources: readonly Source[],
  parameters: Parameters,
  messages: (pattern: string) => string | undefined,
): string {
  const rows = (source: Source) => (source.of === 'message' && messages(source.pattern)) || rowsSql(source, parameters);
  const customers = sources.filter(({ of }) => of === 'participant').map(rows);
  const others = sources.filter(({ of }) => of !== 'participant').map(rows);
  const found = [...among('c.id', others), ...among('c.participant_id', customers)];
  return found.length > 0 ? `(${found.join(' OR ')})` : 'false';
}

/** PostgreSQL takes an array to be short, and so never reads the whole table for it. */
function among(column: string, rows: readonly string[]): string[] {
  if (rows.length === 0) return [];
  return [`${column} = ANY(ARRAY(${rows.map((each) => `SELECT ${each}`).join(' UNION ALL ')}))`];
}
