import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { Database } from '../db/database.ts';
import { ValidationError, type UserError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { ReadModule } from '../services/module.ts';
import { incomingChange } from '../services/mirror/changes.ts';
import { applyIncoming, type Outcome } from '../services/mirror/incoming.ts';
import { parseJson, readBody } from '../webhooks/raw-body.ts';
import { isSigned } from './signature.ts';

export const CONNECTOR_PATH = '/connector/changes';

const MAX_BODY_BYTES = 1024 * 1024;
const MAX_CHANGES = 100;
const RETRY_AFTER_SECONDS = '5';

const bodySchema = z.object({ changes: z.array(z.unknown()).min(1).max(MAX_CHANGES) });

export type ConnectorRoute = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

type Options = { db: Database; readModule: ReadModule; secret: string; log: Log };
type Result = {
  id: string | null;
  outcome: Outcome['outcome'];
  errors: { code: string; rule?: string; message: string; path: string[] }[];
};

/** CDESK's edge: signed changes by POST. Each is answered for itself, in order, once it is durably stored. */
export function createConnectorRoute(options: Options): ConnectorRoute {
  return async (request, response) => {
    try {
      if (request.method !== 'POST') return answer(response, 405, { error: 'Use POST.' }, { allow: 'POST' });
      await takeChanges(options, request, response);
    } catch (error) {
      // Whoever went away before the body was whole sends it again.
      if (request.destroyed && !request.complete) return;
      options.log.error({ err: error }, 'changes of CDESK could not be taken');
      answer(response, 503, { error: 'Try again later.' }, { 'retry-after': RETRY_AFTER_SECONDS });
    }
  };
}

async function takeChanges(
  { db, readModule, secret, log }: Options,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readBody(request, MAX_BODY_BYTES);
  if (!body) return answer(response, 413, { error: 'The body is larger than 1 MB.' }, { connection: 'close' });
  const header = request.headers['x-cdesk-signature'];
  if (!isSigned(secret, body, typeof header === 'string' ? header : undefined, new Date())) {
    log.warn({ bytes: body.length }, 'changes with a missing, wrong or old signature were refused');
    return answer(response, 401, { error: 'The signature is missing, wrong or old.' });
  }
  const parsed = bodySchema.safeParse(parseJson(body));
  if (!parsed.success)
    return answer(response, 400, { error: `Send JSON: an object with 1 to ${MAX_CHANGES} changes.` });
  const { requestCodeYearly, timeZone } = (await readModule.current()).settings;
  const results: Result[] = [];
  // One after another: a later change may need what an earlier one brought.
  for (const change of parsed.data.changes)
    results.push(await applyOne(db, change, { yearly: requestCodeYearly, timeZone }));
  answer(response, 200, { results });
}

async function applyOne(db: Database, told: unknown, codes: { yearly: boolean; timeZone: string }): Promise<Result> {
  const parsed = incomingChange.safeParse(told);
  if (!parsed.success) {
    const errors = parsed.error.issues.map(
      ({ path, message }) => new ValidationError('MALFORMED', message, path.map(String)),
    );
    return { id: idOf(told), outcome: 'refused', errors: errors.map(shown) };
  }
  const { outcome, errors } = await applyIncoming(db, parsed.data, codes);
  return { id: parsed.data.id, outcome, errors: errors.map(shown) };
}

/** Services speak of inputs; here the path begins in the change. */
function shown(error: UserError): Result['errors'][number] {
  const path = (error.path ?? []).filter((part, index) => index > 0 || part !== 'input');
  const rule = error instanceof ValidationError ? { rule: error.rule } : {};
  return { code: error.code, ...rule, message: error.message, path };
}

function idOf(told: unknown): string | null {
  return z.object({ id: z.string() }).safeParse(told).data?.id ?? null;
}

function answer(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'x-content-type-options': 'nosniff',
    ...headers,
  });
  response.end(JSON.stringify(body));
}
