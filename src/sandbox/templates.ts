import { GraphError } from './graph-error.ts';
import type { Posted, TemplateChange } from './options.ts';
import { ok } from './reply.ts';
import type { Reply } from './reply.ts';
import type { State } from './state.ts';
import type { SandboxTemplate } from './template-samples.ts';
import { templateBody } from './webhook-bodies.ts';

const defaultFields = [
  'name',
  'parameter_format',
  'components',
  'language',
  'status',
  'category',
  'id',
  'previous_category',
];
const defaultPageSize = 25;

/** GET /{business-account-id}/message_templates, in pages of 25 unless asked otherwise. */
export function listTemplates(state: State, path: string, query: URLSearchParams): Reply {
  const matching = state.templates.filter((template) => matches(template, query));
  const start = startOf(query.get('after'), matching.length);
  const size = Number(query.get('limit') ?? defaultPageSize);
  const page = matching.slice(start, start + size);
  const data = page.map((template) => pick(template, query.get('fields')));
  // Meta leaves `paging` out of an empty listing.
  if (page.length === 0) return ok({ data });

  const cursors = { before: cursor(start), after: cursor(start + page.length) };
  const next = start + page.length < matching.length ? { next: nextUrl(state, path, query, cursors.after) } : {};
  return ok({ data, paging: { cursors, ...next } });
}

/** GET /{template-id} */
export function showTemplate(template: SandboxTemplate, query: URLSearchParams): Reply {
  return ok(pick(template, query.get('fields')));
}

/** Changes the status of one template and tells the webhook; throws for one that does not exist. */
export async function changeTemplate(state: State, change: TemplateChange): Promise<Posted> {
  const found = state.templates.find(({ name, language }) => name === change.name && language === change.language);
  if (found === undefined) throw new Error(`The sandbox has no template ${change.name} in ${change.language}`);

  // An event is not always a state: these two put the template back to work.
  found.status = change.status === 'REINSTATED' || change.status === 'UNARCHIVED' ? 'APPROVED' : change.status;
  if (change.status === 'REJECTED') found.rejected_reason = change.reason ?? 'NONE';
  return state.poster.post(templateBody(state.businessAccountId, found, change));
}

/** Gone without a word, as when somebody deletes it while webhooks are not subscribed. */
export function removeTemplate(state: State, name: string, language: string): SandboxTemplate[] {
  const index = state.templates.findIndex((one) => one.name === name && one.language === language);
  return index < 0 ? [] : state.templates.splice(index, 1);
}

function matches(template: SandboxTemplate, query: URLSearchParams): boolean {
  return (['name', 'language', 'status', 'category'] as const).every((key) => {
    const wanted = query.get(key);
    return wanted === null || template[key] === wanted;
  });
}

function pick(template: SandboxTemplate, fields: string | null): Record<string, unknown> {
  const names = new Set([...(fields?.split(',') ?? defaultFields), 'id']);
  return Object.fromEntries(Object.entries(template).filter(([name]) => names.has(name)));
}

function cursor(position: number): string {
  return Buffer.from(`position:${position}`).toString('base64url');
}

function startOf(after: string | null, length: number): number {
  if (after === null) return 0;
  const position = Number(Buffer.from(after, 'base64url').toString().replace('position:', ''));
  if (Number.isInteger(position) && position >= 0 && position <= length) return position;
  throw new GraphError(131059, '(#131059) The cursor is no longer valid');
}

// As Meta does it, with the token inside: nobody should log or follow it.
function nextUrl(state: State, path: string, query: URLSearchParams, after: string): string {
  const all = new URLSearchParams(query);
  all.set('access_token', state.accessToken);
  all.set('after', after);
  return `${state.url}${path}?${all.toString()}`;
}
