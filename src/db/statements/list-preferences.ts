import type { ListPreferences } from '../../generated/prisma/client.ts';
import { modelColumns } from '../models.ts';
import type { Transaction } from '../transaction.ts';

export type PreferencesRow = Omit<ListPreferences, 'operatorId'>;

/** The row of an operator, made where there is none yet; two tabs that save at once follow each other. */
export async function lockPreferences(tx: Transaction, operatorId: string): Promise<PreferencesRow> {
  await tx.query('INSERT INTO list_preferences (operator_id) VALUES ($1) ON CONFLICT DO NOTHING', [operatorId]);
  const [row] = await tx.query<ListPreferences>(
    `SELECT ${modelColumns('ListPreferences', 'p')} FROM list_preferences p WHERE p.operator_id = $1 FOR UPDATE`,
    [operatorId],
  );
  if (!row) throw new Error('the row of the preferences is missing');
  return row;
}

export async function savePreferences(tx: Transaction, operatorId: string, row: PreferencesRow): Promise<void> {
  await tx.query(
    `UPDATE list_preferences SET conversation_columns = $2, operator_columns = $3,
       search_columns = $4::"ConversationSearchColumn"[], summary_panel_open = $5, open_conversation_ids = $6::uuid[]
     WHERE operator_id = $1`,
    [
      operatorId,
      JSON.stringify(row.conversationColumns),
      JSON.stringify(row.operatorColumns),
      row.searchColumns,
      row.summaryPanelOpen,
      row.openConversationIds,
    ],
  );
}
