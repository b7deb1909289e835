import { WebSocket } from 'ws';
import type { TestServer } from './server.ts';

export type Answer = {
  data?: Record<string, unknown> | null;
  errors?: { message: string; extensions: Record<string, unknown> }[];
};

export type Asked = Record<string, unknown>;

/** The same operation over each transport, by name. */
export const transports = { http: askHttp, ws: askWs, sse: askSse } as const;

export type Transport = keyof typeof transports;
export const transportNames: Transport[] = ['http', 'ws', 'sse'];

type Where = Pick<TestServer, 'url'>;

async function askHttp({ url }: Where, token: string, asked: Asked): Promise<Answer> {
  const response = await post(url, token, asked, 'application/json');
  // What the server answers is what the tests look at.
  return (await response.json()) as Answer;
}

async function askSse({ url }: Where, token: string, asked: Asked): Promise<Answer> {
  const response = await post(url, token, asked, 'text/event-stream');
  const text = await response.text();
  const data = /^data: (.+)$/m.exec(text)?.[1] ?? text;
  return JSON.parse(data) as Answer;
}

function post(url: string, token: string, asked: Asked, accept: string): Promise<Response> {
  return fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', accept },
    body: JSON.stringify(asked),
  });
}

const ANSWER_MS = 10_000;

/** By hand, so that what no client would send can be sent. */
async function askWs({ url }: Where, token: string, asked: Asked): Promise<Answer> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  const answer = Promise.withResolvers<Answer>();
  const timer = setTimeout(() => answer.reject(new Error('no answer over WebSocket')), ANSWER_MS);
  socket.on('open', () =>
    socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } })),
  );
  socket.on('error', (error) => answer.reject(error));
  socket.on('close', (code, reason) => answer.reject(new Error(`closed: ${code} ${String(reason)}`)));
  socket.on('message', (data: Buffer) => {
    const frame = JSON.parse(data.toString()) as { type: string; payload?: unknown };
    if (frame.type === 'connection_ack')
      socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: '', ...asked } }));
    if (frame.type === 'next') answer.resolve(frame.payload as Answer);
    if (frame.type === 'error') answer.resolve({ errors: frame.payload as NonNullable<Answer['errors']> });
  });
  try {
    return await answer.promise;
  } finally {
    clearTimeout(timer);
    socket.terminate();
  }
}
