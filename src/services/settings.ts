import { v7 as uuid } from 'uuid';
import type { Database } from '../db/database.ts';
import { addTemplateSyncJob } from '../db/statements/jobs.ts';
import {
  emptySlots,
  fillSlot,
  findBusinessNumbers,
  lockSettings,
  retireNumbers,
  updateSettings,
  type SettingsPatch,
} from '../db/statements/settings.ts';
import { transaction, type Transaction } from '../db/transaction.ts';
import { Failure, StaleStateError } from '../errors.ts';
import type { BusinessNumber, Settings } from '../generated/prisma/client.ts';
import type { Actor } from './actor.ts';
import { recordAudit } from './audit.ts';
import { checkSlots, plannedSlots, type Slots } from './number-slots.ts';
import { isSealedWithOldKey, open, seal, type Keyring } from './secrets.ts';
import { checkSettings, secretNames, type SecretName, type SettingsInput } from './settings-input.ts';
import type { SetupKey, Verification } from './setup.ts';

/** The name of a secret's column is sealed in with it. */
const columns = { accessToken: 'access_token', webhookToken: 'webhook_token', appSecret: 'app_secret' } as const;

/** Switches the module on or off. Safe to repeat. */
export async function setModuleEnabled(db: Database, actor: Actor, enabled: boolean): Promise<void> {
  await transaction(db, async (tx) => {
    const settings = await lockSettings(tx);
    if (settings.enabled === enabled) return;
    await updateSettings(tx, { enabled });
    await recordAudit(tx, actor, { action: 'MODULE_SWITCHED', detail: enabled ? 'on' : 'off' });
  });
}

/** Saves what the input gives; every problem is told at once, and then nothing is saved. */
export async function updateChatSettings(
  db: Database,
  actor: Actor,
  input: SettingsInput,
  options: { keys: Keyring; metaId: RegExp },
): Promise<void> {
  const { clean, errors } = checkSettings(input, options.metaId);
  await transaction(db, async (tx) => {
    const settings = await lockSettings(tx);
    const numbers = await findBusinessNumbers(tx);
    const slots = plannedSlots(numbers, clean);
    const problems = [...errors, ...checkSlots(slots, clean), ...checkVersion(settings, input.expectedVersion)];
    if (problems.length > 0) throw new Failure(...problems);
    const changed = Object.keys(input).filter((name) => name !== 'expectedVersion');
    if (changed.length === 0) return;
    if (clean.primaryNumber || clean.secondaryNumber !== undefined) await saveSlots(tx, numbers, slots);
    await updateSettings(tx, patchOf(clean, settings, options.keys, tx.now));
    if (clean.accessToken || clean.whatsappBusinessAccountId) await addTemplateSyncJob(tx);
    await recordAudit(tx, actor, { action: 'SETTINGS_CHANGED', detail: changed.join(', ') });
  });
}

/** Secrets that an older key sealed are sealed with the present one, so that the older can be taken away. */
export async function resealSecrets(db: Database, keys: Keyring): Promise<void> {
  await transaction(db, async (tx) => {
    const settings = await lockSettings(tx);
    const patch: SettingsPatch = {};
    for (const name of secretNames) {
      const sealed = settings[`${name}Sealed`];
      const secret = sealed !== null && isSealedWithOldKey(keys, sealed) ? tryOpen(keys, columns[name], sealed) : null;
      if (secret !== null) patch[`${name}Sealed`] = seal(keys, columns[name], secret);
    }
    if (Object.keys(patch).length > 0) await updateSettings(tx, patch);
  });
}

/** Without its key a secret cannot be sealed anew; the set-up says that it must be entered again. */
function tryOpen(keys: Keyring, column: string, sealed: string): string | null {
  try {
    return open(keys, column, sealed);
  } catch {
    return null;
  }
}

function checkVersion(settings: Settings, expected: number): StaleStateError[] {
  if (settings.version === expected) return [];
  const { version } = settings;
  return [new StaleStateError('Somebody else saved the settings meanwhile.', { currentVersion: version })];
}

function patchOf(input: SettingsInput, settings: Settings, keys: Keyring, now: Date): SettingsPatch {
  const patch: SettingsPatch = { verification: withoutChecked(settings.verification, input) };
  if (input.whatsappBusinessAccountId !== undefined) patch.whatsappBusinessAccountId = input.whatsappBusinessAccountId;
  if (input.timeZone) patch.timeZone = input.timeZone;
  if (input.windowWarningMinutes) patch.windowWarningMinutes = input.windowWarningMinutes;
  for (const name of secretNames) {
    const secret = input[name];
    if (secret !== undefined) Object.assign(patch, sealedColumns(name, secret, keys, now));
  }
  return patch;
}

function sealedColumns(name: SecretName, secret: string | null, keys: Keyring, now: Date): SettingsPatch {
  return {
    [`${name}Sealed`]: secret === null ? null : seal(keys, columns[name], secret),
    [`${name}Hint`]: secret === null ? null : hintOf(secret),
    [`${name}SetAt`]: secret === null ? null : now,
  };
}

const HINT_LENGTH = 4;
const MIN_HINTED_LENGTH = 12;

/** The last four characters, unless they would be a good part of the secret. */
export function hintOf(secret: string): string | null {
  return secret.length >= MIN_HINTED_LENGTH ? secret.slice(-HINT_LENGTH) : null;
}

const stepOf: Record<Exclude<keyof SettingsInput, 'expectedVersion'>, SetupKey | null> = {
  whatsappBusinessAccountId: 'account',
  accessToken: 'account',
  primaryNumber: 'numbers',
  secondaryNumber: 'numbers',
  webhookToken: 'access',
  appSecret: 'access',
  timeZone: null,
  windowWarningMinutes: null,
};

/** What the last check found about a step says nothing about what is entered now. */
function withoutChecked(found: unknown, input: SettingsInput): Verification {
  const touched = new Set(
    Object.entries(stepOf).flatMap(([name, step]) => (input[name as keyof SettingsInput] === undefined ? [] : step)),
  );
  const entries = Object.entries((found ?? {}) as Verification);
  return Object.fromEntries(entries.filter(([step]) => !touched.has(step as SetupKey)));
}

async function saveSlots(tx: Transaction, present: readonly BusinessNumber[], slots: Slots): Promise<void> {
  await emptySlots(tx);
  for (const slot of [1, 2] as const) {
    const number = slots[slot];
    if (!number) continue;
    const { phoneNumberId, phoneNumber } = number;
    await fillSlot(tx, { id: uuid(), slot, phoneNumberId, phoneNumber });
  }
  const kept = new Set([slots[1]?.phoneNumberId, slots[2]?.phoneNumberId]);
  const left = present.filter((number) => number.slot !== null && !kept.has(number.phoneNumberId));
  await retireNumbers(
    tx,
    left.map((number) => number.id),
  );
}
