import type { Database } from '../db/database.ts';
import { lockPreferences, savePreferences, type PreferencesRow } from '../db/statements/list-preferences.ts';
import { transaction } from '../db/transaction.ts';
import { Failure, LimitError, ValidationError } from '../errors.ts';
import { ConversationSearchColumn } from '../generated/prisma/enums.ts';
import { checkColumns, mergeColumns, type ColumnChoice } from './list-columns.ts';

export const conversationColumns = [
  'NUMBER',
  'SOURCE',
  'BUSINESS_NUMBER',
  'OPERATOR',
  'PARTICIPANT',
  'MESSAGE_STATUS',
  'LAST_MESSAGE',
  'LAST_MESSAGE_AT',
  'BEACON',
  'MESSAGE_DIRECTION',
  'CREATED_AT',
] as const;

export const operatorColumns = [
  'NUMBER',
  'DISPLAY_NAME',
  'LOGIN',
  'PERMISSIONS',
  'LOGIN_STATE',
  'LAST_SEEN_AT',
] as const;

export type ConversationColumn = (typeof conversationColumns)[number];
export type OperatorColumn = (typeof operatorColumns)[number];

export const allSearchColumns: readonly ConversationSearchColumn[] = Object.values(ConversationSearchColumn);

/** Left out: unchanged; null: as it was at first. */
export type ConversationListChange = {
  columns?: ColumnChoice<ConversationColumn>[] | null | undefined;
  searchColumns?: ConversationSearchColumn[] | null | undefined;
  summaryPanelOpen?: boolean | null | undefined;
};

export const MAX_OPEN_CONVERSATIONS = 20;

export async function updateConversationList(
  db: Database,
  operatorId: string,
  change: ConversationListChange,
): Promise<void> {
  const { columns, searchColumns, summaryPanelOpen } = change;
  const problems = checkColumns(columns ?? []);
  if (searchColumns?.length === 0)
    problems.push(new ValidationError('EMPTY', 'A search looks at one column at least.', ['input', 'searchColumns']));
  if (problems.length > 0) throw new Failure(...problems);
  await edit(db, operatorId, (row) => ({
    ...(columns !== undefined && {
      conversationColumns: mergeColumns(columns ?? [], row.conversationColumns, conversationColumns),
    }),
    ...(searchColumns !== undefined && { searchColumns: [...new Set(searchColumns ?? [])] }),
    ...(summaryPanelOpen !== undefined && { summaryPanelOpen: summaryPanelOpen ?? true }),
  }));
}

export async function updateOperatorList(
  db: Database,
  operatorId: string,
  columns: ColumnChoice<OperatorColumn>[],
): Promise<void> {
  const problems = checkColumns(columns);
  if (problems.length > 0) throw new Failure(...problems);
  await edit(db, operatorId, (row) => ({
    operatorColumns: mergeColumns(columns, row.operatorColumns, operatorColumns),
  }));
}

/** Keeps the order; what is named twice counts once. */
export async function setOpenConversations(db: Database, operatorId: string, ids: readonly string[]): Promise<void> {
  requireFewTabs(ids);
  await edit(db, operatorId, () => ({ openConversationIds: [...new Set(ids)] }));
}

export function requireFewTabs(ids: readonly string[]): void {
  if (new Set(ids).size > MAX_OPEN_CONVERSATIONS)
    throw new Failure(
      new LimitError(
        'LIMIT_EXCEEDED',
        `At most ${MAX_OPEN_CONVERSATIONS} conversations are open: close one.`,
        { limit: MAX_OPEN_CONVERSATIONS },
        ['input', 'conversationIds'],
      ),
    );
}

async function edit(
  db: Database,
  operatorId: string,
  changeOf: (row: PreferencesRow) => Partial<PreferencesRow>,
): Promise<void> {
  await transaction(db, async (tx) => {
    const row = await lockPreferences(tx, operatorId);
    await savePreferences(tx, operatorId, { ...row, ...changeOf(row) });
  });
}
