import { WebSocket } from 'ws';
import type { ServerProcess } from './process.ts';

/** Lets a process be asked what it holds. */
export const inspected = ['--inspect=127.0.0.1:0'];

type Usage = { usedSize: number; embedderHeapUsedSize?: number; backingStorageSize?: number };

/** Megabytes that are still held once the garbage is gone: objects, and the buffers that hang on them. */
export async function liveHeapMb(process: ServerProcess): Promise<number> {
  const url = /Debugger listening on (ws:\S+)/.exec(process.output())?.[1];
  if (!url) throw new Error('the process was not started with an inspector');
  const socket = new WebSocket(url, { perMessageDeflate: false });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  try {
    // Finalizers run between two collections.
    for (let round = 0; round < 2; round++) await call(socket, 'HeapProfiler.collectGarbage');
    const usage = await call<Usage>(socket, 'Runtime.getHeapUsage');
    return (usage.usedSize + (usage.embedderHeapUsedSize ?? 0) + (usage.backingStorageSize ?? 0)) / 2 ** 20;
  } finally {
    socket.terminate();
  }
}

let lastId = 0;

function call<T>(socket: WebSocket, method: string): Promise<T> {
  const id = ++lastId;
  return new Promise((resolve, reject) => {
    socket.on('message', function take(data: Buffer) {
      const answer = JSON.parse(data.toString()) as { id?: number; result?: T; error?: { message: string } };
      if (answer.id !== id) return;
      socket.off('message', take);
      if (answer.result === undefined) reject(new Error(answer.error?.message ?? `${method} was not answered`));
      else resolve(answer.result);
    });
    socket.once('close', () => reject(new Error('the process is gone')));
    socket.send(JSON.stringify({ id, method }));
  });
}
