import type { ConversationOrder } from '../../src/db/statements/conversation-page.ts';
import type { StoredConversation } from './stored-conversations.ts';

/** The rules of the list evaluated in memory, in the plainest way: what the server must agree with. */
export type World = {
  rows: StoredConversation[];
  operators: { id: string; globalId: string; displayName: string }[];
  numbers: { id: string; globalId: string; phoneNumber: string; displayName: string }[];
  now: Date;
  warningMinutes: number;
  me: string;
};

export type StringFilter = { match: string; value: string };
export type Filter = {
  and?: Filter[];
  or?: Filter[];
  not?: Filter;
  anyColumn?: StringFilter;
  number?: { eq?: number; gte?: number; lte?: number; in?: number[] };
  businessNumberIds?: string[];
  lastRepliedByIds?: string[];
  lastRepliedByMe?: boolean;
  neverReplied?: boolean;
  participant?: StringFilter;
  lastMessage?: StringFilter;
  lastMessageStatus?: string[];
  lastMessageDirection?: string;
  lastMessageAt?: { gte?: string; lt?: string };
  createdAt?: { gte?: string; lt?: string };
  beaconOn?: boolean;
  noReplyNeeded?: boolean;
  hasUnread?: boolean;
  windowState?: string[];
  hasRequests?: boolean;
  requestCode?: StringFilter;
};

export function fold(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().replaceAll('ß', 'ss').replaceAll('ł', 'l');
}

export function matchesFilter(filter: Filter, row: StoredConversation, world: World): boolean {
  const direction = row.messages.length === 0 ? null : row.lastMessageStatus === null ? 'INCOMING' : 'OUTGOING';
  const operator = world.operators.find(({ id }) => id === row.lastRepliedById);
  const number = world.numbers.find(({ id }) => id === row.businessNumberId);
  const checks: [unknown, () => boolean][] = [
    [filter.and, () => (filter.and ?? []).every((part) => matchesFilter(part, row, world))],
    [filter.or, () => (filter.or ?? []).some((part) => matchesFilter(part, row, world))],
    [filter.not, () => !matchesFilter(filter.not ?? {}, row, world)],
    [filter.anyColumn, () => matchesTexts(filter.anyColumn, shownTexts(row, world))],
    [filter.number, () => matchesInt(filter.number ?? {}, row.number)],
    [filter.businessNumberIds, () => (filter.businessNumberIds ?? []).includes(number?.globalId ?? '')],
    [filter.lastRepliedByIds, () => (filter.lastRepliedByIds ?? []).includes(operator?.globalId ?? '')],
    [filter.lastRepliedByMe, () => (row.lastRepliedById === world.me) === filter.lastRepliedByMe],
    [filter.neverReplied, () => (row.lastRepliedById === null) === filter.neverReplied],
    [filter.participant, () => matchesTexts(filter.participant, participantTexts(row))],
    [filter.lastMessage, () => matchesTexts(filter.lastMessage, [{ text: row.messages.at(-1) ?? '' }])],
    [filter.lastMessageStatus, () => (filter.lastMessageStatus ?? []).includes(row.lastMessageStatus ?? '')],
    [filter.lastMessageDirection, () => direction === filter.lastMessageDirection],
    [filter.lastMessageAt, () => isWithin(filter.lastMessageAt ?? {}, row.lastMessageAt)],
    [filter.createdAt, () => isWithin(filter.createdAt ?? {}, row.createdAt)],
    [filter.beaconOn, () => (row.beaconSince !== null) === filter.beaconOn],
    [filter.noReplyNeeded, () => row.noReplyNeeded === filter.noReplyNeeded],
    [filter.hasUnread, () => row.unreadCount > 0 === filter.hasUnread],
    [filter.windowState, () => (filter.windowState ?? []).includes(windowOf(row, world))],
    [filter.hasRequests, () => row.requestCodes.length > 0 === filter.hasRequests],
    [filter.requestCode, () => matchesTexts(filter.requestCode, row.requestCodes.map(textOnly))],
  ];
  return checks.every(([given, holds]) => given === undefined || holds());
}

type Text = { text: string; isPhone?: boolean };
const textOnly = (text: string): Text => ({ text });

function participantTexts(row: StoredConversation): Text[] {
  return [{ text: row.name }, ...(row.phoneNumber ? [{ text: row.phoneNumber.slice(1), isPhone: true }] : [])];
}

function shownTexts(row: StoredConversation, world: World): Text[] {
  const operator = world.operators.find(({ id }) => id === row.lastRepliedById);
  const number = world.numbers.find(({ id }) => id === row.businessNumberId);
  return [
    { text: String(row.number) },
    { text: number?.displayName ?? '' },
    { text: number?.phoneNumber.slice(1) ?? '', isPhone: true },
    ...(operator ? [{ text: operator.displayName }] : []),
    ...participantTexts(row),
    { text: row.messages.at(-1) ?? '' },
    ...row.requestCodes.map(textOnly),
  ];
}

function matchesTexts(filter: StringFilter | undefined, texts: Text[]): boolean {
  if (!filter) return true;
  const match = filter.match.replace('NOT_', '');
  const found = texts.some(({ text, isPhone }) => {
    const sought = isPhone ? phoneDigitsOf(filter.value) : fold(filter.value);
    return sought !== null && compare(match, fold(text), sought);
  });
  return filter.match.startsWith('NOT_') ? !found : found;
}

function compare(match: string, text: string, sought: string): boolean {
  if (match === 'EQUALS') return text === sought;
  return match === 'STARTS_WITH' ? text.startsWith(sought) : text.includes(sought);
}

function phoneDigitsOf(word: string): string | null {
  if (!/^[+(]*\d[\d().\-/]*$/.test(word)) return null;
  return word.replace(/\D/g, '').replace(/^00/, '') || null;
}

function matchesInt({ eq, gte, lte, in: values }: NonNullable<Filter['number']>, value: number): boolean {
  return (
    (eq === undefined || value === eq) &&
    (gte === undefined || value >= gte) &&
    (lte === undefined || value <= lte) &&
    (values === undefined || values.includes(value))
  );
}

function isWithin({ gte, lt }: { gte?: string; lt?: string }, at: Date): boolean {
  return (gte === undefined || at >= new Date(gte)) && (lt === undefined || at < new Date(lt));
}

function windowOf(row: StoredConversation, { now, warningMinutes }: World): string {
  if (!row.windowExpiresAt) return 'NEVER_OPENED';
  const left = row.windowExpiresAt.getTime() - now.getTime();
  if (left <= 0) return 'CLOSED';
  return left <= warningMinutes * 60_000 ? 'EXPIRING_SOON' : 'OPEN';
}

/** Every word must be found in a column; words of digits that follow each other may also be one phone number. */
export function matchesSearch(query: string, columns: string[], row: StoredConversation, world: World): boolean {
  const words = query.split(/\s+/).filter(Boolean);
  for (let index = 0; index < words.length;) {
    let end = index + 1;
    while (end < words.length && [words[end - 1], words[end]].every((word) => phoneDigitsOf(word ?? '') !== null))
      end++;
    const run = words.slice(index, end);
    const asPhone =
      run.length > 1 &&
      phoneFound((phoneDigitsOf(run[0] ?? '') ?? '') + run.slice(1).join('').replace(/\D/g, ''), columns, row, world);
    if (!asPhone && !run.every((word) => wordFound(word, columns, row, world))) return false;
    index = end;
  }
  return true;
}

function phoneFound(digits: string, columns: string[], row: StoredConversation, world: World): boolean {
  const number = world.numbers.find(({ id }) => id === row.businessNumberId)?.phoneNumber.slice(1) ?? '';
  const phones = [
    ...(columns.includes('PARTICIPANT') && row.phoneNumber ? [row.phoneNumber.slice(1)] : []),
    ...(columns.includes('BUSINESS_NUMBER') ? [number] : []),
  ];
  return phones.some((phone) => (digits.length < 3 ? phone.startsWith(digits) : phone.includes(digits)));
}

function wordFound(word: string, columns: string[], row: StoredConversation, world: World): boolean {
  const sought = fold(word);
  const digits = phoneDigitsOf(word);
  if (digits !== null && phoneFound(digits, columns, row, world)) return true;
  if (/^\d+$/.test(word) && columns.includes('NUMBER') && String(row.number).startsWith(word)) return true;
  const operator = world.operators.find(({ id }) => id === row.lastRepliedById)?.displayName ?? '';
  const number = world.numbers.find(({ id }) => id === row.businessNumberId)?.displayName ?? '';
  const names: [string, string][] = [
    ['PARTICIPANT', row.name],
    ['OPERATOR', operator],
    ['BUSINESS_NUMBER', number],
  ];
  if (Array.from(sought).length < 3) {
    return names.some(
      ([column, name]) =>
        columns.includes(column) &&
        fold(name)
          .split(/[ -]/)
          .some((part) => part.startsWith(sought)),
    );
  }
  const texts: [string, string[]][] = [
    ...names.map(([column, name]): [string, string[]] => [column, [name]]),
    ['LAST_MESSAGE', row.messages.slice(-1)],
    ['MESSAGES', row.messages],
    ['REQUEST_CODE', row.requestCodes],
  ];
  return texts.some(([column, held]) => columns.includes(column) && held.some((text) => fold(text).includes(sought)));
}

export type Order = ConversationOrder;

export function sortRows(rows: StoredConversation[], { field, direction }: Order): StoredConversation[] {
  const keyOf = (row: StoredConversation): number => {
    if (field === 'NUMBER') return row.number;
    if (field === 'LAST_MESSAGE_AT') return row.lastMessageAt.getTime();
    if (field === 'CREATED_AT') return row.createdAt.getTime();
    return (field === 'AWAITING_SINCE' ? row.beaconSince : row.windowExpiresAt)?.getTime() ?? Infinity;
  };
  const ascending = rows.toSorted((a, b) => {
    const [x, y] = [keyOf(a), keyOf(b)];
    if (x !== y) return x < y ? -1 : 1;
    return a.id < b.id ? -1 : 1;
  });
  return direction === 'ASC' ? ascending : ascending.toReversed();
}
