import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { readJson } from './body.ts';
import * as schemas from './control-schemas.ts';
import type { Sandbox } from './options.ts';
import type { Reply } from './reply.ts';
import type { State } from './state.ts';

type Control = (sandbox: Sandbox, state: State, body: unknown, query: URLSearchParams) => unknown;

/** The endpoints under /sandbox; README.md beside this file shows them with examples. */
const controls: Readonly<Record<string, Control>> = {
  'GET /sandbox': (sandbox) => ({
    phoneNumbers: sandbox.phoneNumbers(),
    businessAccountId: sandbox.businessAccountId,
    controls: Object.keys(controls),
  }),
  'POST /sandbox/phone-numbers': (sandbox, _state, body) =>
    done(sandbox.setPhoneNumbers(schemas.phoneNumbers.parse(body))),
  'GET /sandbox/ledger': (sandbox, _state, _body, query) =>
    sandbox.ledger(schemas.ledgerFilter.parse(Object.fromEntries(query))),
  'DELETE /sandbox/ledger': (_sandbox, state) => done(state.ledger.clear()),
  'POST /sandbox/customer-message': (sandbox, _state, body) => {
    const message = schemas.customerMessage.parse(body);
    return sandbox.customerWrites({
      ...message,
      phoneNumberId: message.phoneNumberId ?? sandbox.phoneNumbers()[0]?.id ?? '',
    });
  },
  'POST /sandbox/read': (sandbox, _state, body) => sandbox.customerReads(schemas.readMark.parse(body).wamid),
  'POST /sandbox/status': (sandbox, _state, body) => {
    const { wamid, status, errorCode } = schemas.status.parse(body);
    return sandbox.postStatus(wamid, status, errorCode);
  },
  'POST /sandbox/handshake': (sandbox, _state, body) => sandbox.handshake(schemas.handshake.parse(body).verifyToken),
  'POST /sandbox/webhook': (sandbox, _state, body) => sandbox.postWebhook(body),
  'GET /sandbox/faults': (_sandbox, state) => state.faults.list(),
  'POST /sandbox/faults': (sandbox, _state, body) => done(sandbox.fail(schemas.faultRule.parse(body))),
  'DELETE /sandbox/faults': (sandbox) => done(sandbox.clearFaults()),
  'GET /sandbox/delays': (_sandbox, state) => state.delays,
  'POST /sandbox/delays': (sandbox, _state, body) => done(sandbox.setDelays(schemas.delays.parse(body))),
  'GET /sandbox/limits': (_sandbox, state) => state.limits,
  'POST /sandbox/limits': (sandbox, _state, body) => done(sandbox.setLimits(schemas.limits.parse(body))),
  'GET /sandbox/templates': (sandbox) => sandbox.templates(),
  'POST /sandbox/templates': (sandbox, _state, body) => sandbox.changeTemplate(schemas.templateChange.parse(body)),
  'POST /sandbox/templates/new': (sandbox, _state, body) => done(sandbox.addTemplate(schemas.newTemplate.parse(body))),
  'POST /sandbox/templates/gone': (sandbox, _state, body) => {
    const { name, language } = schemas.templateName.parse(body);
    return sandbox.removeTemplate(name, language);
  },
  'POST /sandbox/settled': async (sandbox) => done(await sandbox.settled()),
};

export async function answerControl(
  sandbox: Sandbox,
  state: State,
  request: IncomingMessage,
  url: URL,
): Promise<Reply> {
  const control = controls[`${request.method} ${url.pathname.replace(/\/$/, '')}`];
  if (control === undefined) return problem(404, 'No such control; GET /sandbox lists them');

  const hasBody = request.method === 'POST';
  // Keeps pages in a browser from posting here without asking first.
  if (hasBody && !request.headers['content-type']?.startsWith('application/json')) {
    return problem(415, 'Send application/json');
  }
  try {
    const body = hasBody ? await readJson(request) : undefined;
    return { kind: 'json', httpStatus: 200, body: await control(sandbox, state, body, url.searchParams) };
  } catch (error) {
    if (error instanceof z.ZodError) return problem(400, z.prettifyError(error));
    return problem(400, error instanceof Error ? error.message : String(error));
  }
}

function done(_result: void): { done: true } {
  return { done: true };
}

function problem(httpStatus: number, message: string): Reply {
  return { kind: 'json', httpStatus, body: { error: message } };
}
