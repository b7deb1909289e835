import type pg from 'pg';
import type { BusinessNumber, Settings } from '../../generated/prisma/client.ts';
import { modelColumns, snakeCase } from '../models.ts';
import type { Transaction } from '../transaction.ts';

const settingsText = `SELECT ${modelColumns('Settings', 's')} FROM settings s WHERE id = 1`;
const numbersText = `SELECT ${modelColumns('BusinessNumber', 'b')} FROM business_number b ORDER BY slot, id`;

/** Every process reads them twice a second, which took 4 % of a busy one's time by way of Prisma. */
export async function readSettings(pool: pg.Pool): Promise<{ settings: Settings; numbers: BusinessNumber[] }> {
  const [settings, numbers] = await Promise.all([
    pool.query<Settings>({ name: 'settings', text: settingsText }),
    pool.query<BusinessNumber>({ name: 'business-numbers', text: numbersText }),
  ]);
  return { settings: present(settings.rows[0]), numbers: numbers.rows };
}

/** The one row, locked: two administrators who save at once follow each other. */
export async function lockSettings(tx: Transaction): Promise<Settings> {
  const [row] = await tx.query<Settings>(`${settingsText} FOR UPDATE`);
  return present(row);
}

function present(row: Settings | undefined): Settings {
  if (!row) throw new Error('the row of the settings is missing');
  return row;
}

export type SettingsPatch = Partial<Omit<Settings, 'id' | 'version'>>;

/** Writes what changed; every change makes a new version. */
export async function updateSettings(tx: Transaction, patch: SettingsPatch): Promise<void> {
  const names = Object.keys(patch);
  const assignments = names.map((name, index) => `${snakeCase(name)} = $${index + 1}`);
  const text = `UPDATE settings SET ${[...assignments, 'version = version + 1'].join(', ')} WHERE id = 1`;
  await tx.query(text, Object.values(patch));
}

/** What a check of the connection found is not a change of the settings: the version stays. */
export async function saveVerification(tx: Transaction, verification: object): Promise<void> {
  await tx.query('UPDATE settings SET verification = $1, last_verified_at = $2 WHERE id = 1', [
    JSON.stringify(verification),
    tx.now,
  ]);
}

export function findBusinessNumbers(tx: Transaction): Promise<BusinessNumber[]> {
  return tx.query<BusinessNumber>(numbersText);
}

/** The slots are unique, so all are emptied before any is filled: two numbers can change places. */
export async function emptySlots(tx: Transaction): Promise<void> {
  await tx.query('UPDATE business_number SET slot = NULL WHERE slot IS NOT NULL');
}

export type SlotRow = Pick<BusinessNumber, 'id' | 'phoneNumberId' | 'phoneNumber'> & { slot: number };

/** A number that was replaced before becomes active again under its old row, and its history with it. */
export async function fillSlot(tx: Transaction, row: SlotRow): Promise<void> {
  await tx.query(
    `INSERT INTO business_number (id, slot, phone_number_id, phone_number) VALUES ($1, $2, $3, $4)
     ON CONFLICT (phone_number_id) DO UPDATE SET slot = excluded.slot, phone_number = excluded.phone_number, active = true`,
    [row.id, row.slot, row.phoneNumberId, row.phoneNumber],
  );
}

/** What holds no slot any more: gone where nothing refers to it, otherwise kept for its history. */
export async function retireNumbers(tx: Transaction, ids: string[]): Promise<void> {
  await tx.query(
    `DELETE FROM business_number b WHERE b.id = ANY($1::uuid[])
       AND NOT EXISTS (SELECT FROM conversation c WHERE c.business_number_id = b.id)
       AND NOT EXISTS (SELECT FROM channel_problem p WHERE p.business_number_id = b.id)`,
    [ids],
  );
  await tx.query('UPDATE business_number SET active = false WHERE id = ANY($1::uuid[])', [ids]);
}

/** What Meta says of one of our numbers; null: it did not say. */
export type ToldNumber = { phoneNumber: string; displayName: string | null; qualityRating: string | null };

export function saveToldNumber(tx: Transaction, { phoneNumber, displayName, qualityRating }: ToldNumber): void {
  tx.send(
    `UPDATE business_number SET display_name = coalesce($2, display_name), quality_rating = coalesce($3, quality_rating)
     WHERE phone_number = $1`,
    [phoneNumber, displayName, qualityRating],
  );
}
