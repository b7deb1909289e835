import type { Statement, Transaction } from '../transaction.ts';

// Two ranges of one partial index, so that a look costs nothing while nothing is due. Rows that another process is
// announcing are skipped.
const due: Statement = {
  name: 'windows-to-announce',
  text: `SELECT id FROM conversation
    WHERE window_announced IN ('OPEN', 'EXPIRING_SOON')
      AND (window_expires_at <= $1 OR (window_announced = 'OPEN' AND window_expires_at <= $2))
    ORDER BY id LIMIT 500 FOR NO KEY UPDATE SKIP LOCKED`,
};

export async function findWindowsToAnnounce(tx: Transaction, warningMinutes: number): Promise<string[]> {
  const soon = new Date(tx.now.getTime() + warningMinutes * 60_000);
  const rows = await tx.query<{ id: string }>(due, [tx.now, soon]);
  return rows.map((row) => row.id);
}
