import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { WsConnection } from '../src/transport/ws-connection.ts';
import { WsSink } from '../src/transport/ws-sink.ts';
import { eventually } from './support/events.ts';

/** Every kind of header, and what is too big for the memory that all share. */
const SIZES = [0, 700, 40_000, 90_000];
const PILED_BYTES = 20_000;
const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });

afterAll(() => {
  for (const socket of server.clients) socket.terminate();
  server.close();
});

async function follow(id: string) {
  // A listening TCP server has an address with a port.
  const { port } = server.address() as AddressInfo;
  const client = new WebSocket(`ws://127.0.0.1:${port}`);
  const texts: string[] = [];
  client.on('message', (data: Buffer) => void texts.push(data.toString()));
  const [[socket, request]] = (await Promise.all([once(server, 'connection'), once(client, 'open')])) as [
    [WebSocket, IncomingMessage],
    unknown,
  ];
  const connection = new WsConnection(socket, request.socket, '127.0.0.1');
  const sink = new WsSink(connection, id, { drained: async () => true, end: () => {} });
  return { client, texts, sink, told: (payload: unknown) => JSON.stringify({ id, type: 'next', payload }) };
}

it('who reads late gets, byte for byte and in order, what others got at once', async () => {
  const [late, early] = [await follow('pozdě'), await follow('e')];
  const payloads: unknown[] = [];
  const tell = (bytes: number) => {
    const payload = { n: payloads.length, text: 'ř'.repeat(bytes / 2) };
    payloads.push(payload);
    const frame = { payload: Buffer.from(JSON.stringify(payload)), cursor: null };
    for (const { sink } of [late, early]) sink.send([frame]);
  };
  for (const bytes of SIZES) tell(bytes);
  await eventually(async () => early.texts.length === payloads.length);

  late.client.pause();
  while (!late.sink.isClogged()) {
    const taken = once(early.client, 'message');
    tell(PILED_BYTES);
    await taken;
  }
  late.client.resume();

  for (const { texts, told } of [early, late]) {
    await eventually(async () => texts.length === payloads.length);
    expect(texts).toEqual(payloads.map(told));
  }
});
