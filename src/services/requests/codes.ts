import { findRequestCodes, takeSerial, writeRequestCodes } from '../../db/statements/request-codes.ts';
import type { Transaction } from '../../db/transaction.ts';
import { localDate } from '../local-days.ts';
import { joinRequestCodes } from '../search-text.ts';

/** How this organisation numbers its requests. */
export type CodeScheme = {
  /** True: `year-serial`, from 1 again each year in the organisation's zone; else one running number. */
  yearly: boolean;
  timeZone: string;
};

const RUNNING = 0;

/** The year whose serials count at this instant; 0 where one number runs on. */
export function codeYear(scheme: CodeScheme, now: Date): number {
  return scheme.yearly ? Number(localDate(now, scheme.timeZone).slice(0, 4)) : RUNNING;
}

export function formatCode(year: number, serial: number): string {
  return year === RUNNING ? String(serial) : `${year}-${serial}`;
}

/** The next code. The serial stays locked until the transaction ends, and one that fails gives it back: no gaps. */
export async function takeCode(tx: Transaction, scheme: CodeScheme): Promise<string> {
  const year = codeYear(scheme, tx.now);
  return formatCode(year, await takeSerial(tx, year));
}

/** Counts and codes on the rows of locked conversations, after requests came, went, moved or got other codes. */
export async function refreshRequestCodes(tx: Transaction, conversationIds: string[]): Promise<void> {
  const found = Map.groupBy(await findRequestCodes(tx, conversationIds), (row) => row.conversationId);
  const rows = conversationIds.map((conversationId) => {
    const codes = (found.get(conversationId) ?? []).map(({ code }) => code);
    return { conversationId, count: codes.length, codes: joinRequestCodes(codes) };
  });
  await writeRequestCodes(tx, rows);
}
