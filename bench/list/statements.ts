import { openDatabase, type Database } from '../../src/db/database.ts';
import { findConversationPage, positionOf, type ConversationOrder } from '../../src/db/statements/conversation-page.ts';
import { readSummary } from '../../src/db/statements/summary.ts';
import { listCondition, type ListFacts, type ListQuery } from '../../src/services/list/list-query.ts';
import { dayOf } from '../../src/services/local-days.ts';
import type { PageRequest } from '../../src/db/keyset.ts';

const newestFirst: ConversationOrder = { field: 'LAST_MESSAGE_AT', direction: 'DESC' };
const firstPage: PageRequest = { size: 50, forward: true, position: null };
const DEEP_ROW = 100_000;
const RUNS = 60;

/** Rare, common and absent; of a name, a text, a phone number, and texts of old messages. */
const terms = [
  'ojedinely',
  'z19990',
  'novak',
  'dobry den',
  'петров',
  'zasilka',
  '+420 600 001 234',
  'nikdenenijaky',
  'jan sv',
];

type Named = { name: string; ms: number[] };

export async function measureStatements(url: string): Promise<{
  all: Named[];
  firstPage: number[];
  deepPage: number[];
  searches: number[][];
  summary: number[];
}> {
  await using db = openDatabase({ url, poolSize: 4 });
  const facts = await factsOf(db);
  const list = (query: Partial<ListQuery>, page: PageRequest = firstPage) => {
    const condition = listCondition({ filters: [], searches: [], ...query }, everything, facts);
    return () => findConversationPage(db.pool, page, newestFirst, condition);
  };
  const deep = await positionAt(db, DEEP_ROW);
  const first = { name: 'page 1', ms: await times(list({})) };
  const deepPage = { name: 'page 2,000', ms: await times(list({}, { ...firstPage, position: deep })) };
  const searches: Named[] = [];
  for (const query of terms)
    searches.push({ name: `search "${query}"`, ms: await times(list({ searches: [{ query }] })) });
  const summary = { name: 'summary', ms: await times(await summaryOf(db)) };
  return {
    all: [first, deepPage, ...searches, summary],
    firstPage: first.ms,
    deepPage: deepPage.ms,
    searches: searches.map(({ ms }) => ms),
    summary: summary.ms,
  };
}

const everything = { operatorId: null, businessNumberIds: null, hasScope: () => true };

async function factsOf(db: Database): Promise<ListFacts> {
  const [businessNumbers, operators] = await Promise.all([
    db.prisma.businessNumber.findMany(),
    db.prisma.operator.findMany({ select: { id: true, displayName: true } }),
  ]);
  const directory = { businessNumbers, operators };
  return { now: new Date(), timeZone: 'Europe/Prague', windowWarningMinutes: 60, directory };
}

async function positionAt(db: Database, row: number) {
  const found = await db.prisma.conversation.findFirst({
    orderBy: [{ lastMessageAt: 'desc' }, { id: 'desc' }],
    skip: row,
  });
  if (!found) throw new Error(`there are fewer than ${row} conversations`);
  return positionOf(found, newestFirst);
}

async function summaryOf(db: Database): Promise<() => Promise<unknown>> {
  const operator = await db.prisma.operator.findFirstOrThrow({ where: { subject: 'bench:7' } });
  const about = { operatorId: operator.id, day: dayOf(new Date(), 'Europe/Prague'), businessNumberIds: null };
  return () => readSummary(db.pool, { ...about, countsWaived: true });
}

async function times(run: () => Promise<unknown>): Promise<number[]> {
  for (let warm = 0; warm < 5; warm++) await run();
  const ms: number[] = [];
  for (let index = 0; index < RUNS; index++) {
    const begun = performance.now();
    await run();
    ms.push(performance.now() - begun);
  }
  return ms;
}
