import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net';

/** Stands between a server and PostgreSQL and writes down every statement that is run. */
export type StatementLog = AsyncDisposable & {
  /** Where the server connects instead. */
  url: string;
  /** What `work` makes the server run, without what it does by itself in the meantime. */
  of(work: () => Promise<unknown>): Promise<string[]>;
};

// A new connection's look at the log, the hub's, the module's settings, heartbeats and what they tell: they come at their
// own times.
export const byItself =
  /^BEGIN; SET LOCAL|^COMMIT$|WITH head AS|"type":"OPERATOR_PRESENCE_CHANGED"|^SELECT epoch, seq, floor_seq FROM stream_head|to_regclass|^UPDATE stream_head|FROM event WHERE seq|FROM settings s WHERE|FROM business_number b ORDER BY|UPDATE operator|WHERE o.announced_state <>/;

export async function logStatements(databaseUrl: string): Promise<StatementLog> {
  const upstream = new URL(databaseUrl);
  const statements: string[] = [];
  const sockets = new Set<Socket>();
  const proxy = createServer((client) => {
    const server = createConnection({ host: upstream.hostname, port: Number(upstream.port) });
    const read = createReader((statement) => void statements.push(statement));
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    client.on('data', (chunk: Buffer) => {
      read(chunk);
      server.write(chunk);
    });
    server.pipe(client);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  // A server that listens on a port has an address of its own.
  url.port = String((proxy.address() as AddressInfo).port);
  return {
    url: url.href,
    async of(work) {
      statements.length = 0;
      await work();
      return statements.filter((statement) => !byItself.test(statement));
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}

/** Reads the messages of a client: statements are named by Parse, chosen by Bind and run by Execute, or sent whole. */
function createReader(onStatement: (statement: string) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  let isStarted = false;
  let bound = '';
  const prepared = new Map<string, string>();
  const text = (body: Buffer, from = 0) => body.toString('utf8', from, body.indexOf(0, from));

  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const header = isStarted ? 1 : 0;
      if (rest.length < header + 4) return;
      const length = rest.readInt32BE(header) + header;
      if (rest.length < length) return;
      if (isStarted) take(String.fromCharCode(rest[0] ?? 0), rest.subarray(5, length));
      isStarted = true;
      rest = rest.subarray(length);
    }
  };

  function take(type: string, body: Buffer): void {
    const first = text(body);
    const second = () => text(body, Buffer.byteLength(first) + 1);
    if (type === 'Q') onStatement(first);
    if (type === 'P') prepared.set(first, second());
    if (type === 'B') bound = prepared.get(second()) ?? '';
    if (type === 'E') onStatement(bound);
  }
}
