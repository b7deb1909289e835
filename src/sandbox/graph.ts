import type { IncomingMessage } from 'node:http';
import { listNumbers, showAccount, showNumber, subscribedApps } from './account.ts';
import { readJson } from './body.ts';
import { isAnswerFault } from './faults.ts';
import type { CallKind } from './faults.ts';
import { badToken, graphError, unknownObject } from './graph-error.ts';
import { filePath, sendFile, showMedia, uploadMedia } from './media.ts';
import { isObject } from './message-rules.ts';
import { postMessage } from './messages.ts';
import { misbehave, ok } from './reply.ts';
import type { Reply } from './reply.ts';
import type { State } from './state.ts';
import { listTemplates, showTemplate } from './templates.ts';

type Call = {
  request: IncomingMessage;
  method: string;
  path: string;
  query: URLSearchParams;
  id: string;
  edge: string;
};

/** The Graph API's side: /{version}/{id}[/{edge}], the version may be missing. */
export async function answerGraph(state: State, request: IncomingMessage, url: URL): Promise<Reply> {
  if (request.headers.authorization !== `Bearer ${state.accessToken}`) throw badToken();
  if (url.pathname === filePath) return withFaults(state, 'media', async () => sendFile(state, url.searchParams));

  const [, id = '', edge = ''] = /^(?:\/v\d+\.\d+)?\/([^/]+)(?:\/([^/]+))?\/?$/.exec(url.pathname) ?? [];
  const method = request.method ?? 'GET';
  const call = { request, method, path: url.pathname, query: url.searchParams, id: decodeURIComponent(id), edge };
  const reply = (await onNumber(state, call)) ?? (await onAccount(state, call)) ?? (await onOther(state, call));
  if (reply === null) throw unknownObject(method, call.id);
  return reply;
}

async function onNumber(state: State, { request, method, query, id, edge }: Call): Promise<Reply | null> {
  const number = state.phoneNumbers.find((one) => one.id === id);
  if (number === undefined) return null;
  switch (`${method} ${edge}`) {
    case 'POST messages': {
      const payload = await readJson(request);
      if (!isObject(payload)) throw graphError(100, 'The body must be a JSON object.');
      return postMessage(state, number, payload);
    }
    case 'POST media':
      return withFaults(state, 'media', () => uploadMedia(state, request));
    case 'GET ':
      return withFaults(state, 'account', async () => showNumber(number, query));
    default:
      return null;
  }
}

async function onAccount(state: State, { method, path, query, id, edge }: Call): Promise<Reply | null> {
  if (id !== state.businessAccountId) return null;
  switch (`${method} ${edge}`) {
    case 'GET ':
      return withFaults(state, 'account', async () => showAccount(state, query));
    case 'GET phone_numbers':
      return withFaults(state, 'account', async () => listNumbers(state, query));
    case 'GET message_templates':
      return withFaults(state, 'templates', async () => listTemplates(state, path, query));
    case 'GET subscribed_apps':
    case 'POST subscribed_apps':
    case 'DELETE subscribed_apps':
      return withFaults(state, 'account', async () => subscribedApps(state, method));
    default:
      return null;
  }
}

async function onOther(state: State, { method, query, id, edge }: Call): Promise<Reply | null> {
  if (edge !== '') return null;
  const template = state.templates.find((one) => one.id === id);
  if (template !== undefined && method === 'GET') return showTemplate(template, query);

  const media = state.media.get(id);
  if (media === undefined) return null;
  if (method === 'GET') return withFaults(state, 'media', async () => showMedia(state, media));
  if (method !== 'DELETE') return null;
  state.media.remove(id);
  return ok({ success: true });
}

function withFaults(state: State, kind: CallKind, proceed: () => Promise<Reply>): Promise<Reply> {
  return misbehave(state.faults.strike({ kind }).filter(isAnswerFault), proceed);
}
