import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export type Received = { raw: string; headers: IncomingHttpHeaders };

export type Receiver = AsyncDisposable & {
  url: string;
  received: Received[];
  /** What it answers to the next requests; 200 after that. */
  answers: number[];
};

/** Stands where our server's webhook route would be and keeps every delivery as it came. */
export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  const answers: number[] = [];
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    received.push({ raw: await text(request), headers: request.headers });
    response.writeHead(answers.shift() ?? 200);
    response.end(url.searchParams.get('hub.challenge') ?? '');
  };
  const server = createServer((request, response) => void serve(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A listening TCP server has an address with a port.
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}/webhooks/whatsapp`,
    received,
    answers,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
