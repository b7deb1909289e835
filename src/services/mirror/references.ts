import { findByExternalId, findOperatorByLogin, findTagsByName } from '../../db/statements/catalogue.ts';
import type { Transaction } from '../../db/transaction.ts';
import type { Problems } from '../requests/problems.ts';

const catalogue = { company: 'company', contact: 'contact', template: 'request_template' } as const;

/** Our id for what CDESK names; undefined where it names nothing, null where it clears. */
export async function resolved(
  tx: Transaction,
  problems: Problems,
  what: keyof typeof catalogue,
  externalId: string | null | undefined,
): Promise<string | null | undefined> {
  if (externalId === undefined || externalId === null) return externalId;
  const id = await findByExternalId(tx, catalogue[what], externalId);
  if (id === null) problems.missing(`There is no such ${what}: send it first.`, what);
  return id;
}

export async function resolvedOperator(
  tx: Transaction,
  problems: Problems,
  login: string | null | undefined,
): Promise<string | null | undefined> {
  if (login === undefined || login === null) return login;
  const id = await findOperatorByLogin(tx, login);
  if (id === null) problems.missing('There is no operator with this log-in.', 'assignee');
  return id;
}

export async function resolvedTags(
  tx: Transaction,
  problems: Problems,
  names: readonly string[] | undefined,
): Promise<string[] | undefined> {
  if (names === undefined) return undefined;
  const known = new Map((await findTagsByName(tx, names)).map(({ id, name }) => [name, id]));
  return [...new Set(names)].flatMap((name) => {
    const id = known.get(name);
    if (id === undefined) problems.missing('There is no such tag: send it first.', 'tags', name);
    return id ?? [];
  });
}
