import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { startPinging } from '../src/transport/pinging.ts';
import { eventually } from './support/events.ts';

const EVERY_MS = 250;
const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
const pinging = startPinging(server.clients, EVERY_MS);
server.on('connection', (socket) => pinging.watch(socket));

afterAll(() => {
  pinging[Symbol.dispose]();
  for (const socket of server.clients) socket.terminate();
  server.close();
});

async function connect(autoPong: boolean) {
  // A listening TCP server has an address with a port.
  const { port } = server.address() as AddressInfo;
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, { autoPong });
  const pingedAt: number[] = [];
  socket.on('ping', () => pingedAt.push(Date.now()));
  await once(socket, 'open');
  return { socket, pingedAt };
}

it('ends who does not answer, spreads its pings over the interval, and leaves the others alone', async () => {
  const living = await Promise.all(Array.from({ length: 25 }, () => connect(true)));
  const dead = await connect(false);
  const closed = once(dead.socket, 'close');

  await eventually(async () => living.every(({ pingedAt }) => pingedAt.length >= 3));
  const [code] = (await closed) as [number];

  expect(code).toBe(1006);
  expect(dead.pingedAt).toHaveLength(1);
  expect(living.map(({ socket }) => socket.readyState)).toEqual(living.map(() => WebSocket.OPEN));
  const seconds = living.map(({ pingedAt }) => pingedAt[1] ?? 0);
  expect(Math.max(...seconds) - Math.min(...seconds)).toBeGreaterThan(EVERY_MS / 2);
});
