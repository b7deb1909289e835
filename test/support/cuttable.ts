import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** The way to a server, which can be cut and closed. */
export type Cuttable = AsyncDisposable & {
  url: string;
  /** Ends every connection without a word; until `mend` there are no new ones. */
  cut(): void;
  mend(): void;
};

export async function startCuttable(target: string): Promise<Cuttable> {
  const { hostname, port } = new URL(target);
  const open = new Set<Socket>();
  let isCut = false;
  const proxy = createServer((client) => {
    if (isCut) return void client.destroy();
    const server = connect(Number(port), hostname);
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      open.add(one);
      one.on('error', () => other.destroy());
      one.once('close', () => {
        open.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const cut = () => {
    isCut = true;
    for (const socket of open) socket.destroy();
  };
  return {
    // A listening TCP server has an address with a port.
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    cut,
    mend: () => void (isCut = false),
    async [Symbol.asyncDispose]() {
      cut();
      proxy.close();
      await once(proxy, 'close');
    },
  };
}

/** Another way to the same database: its `url` names it through the way that can be cut. */
export async function startCuttableDatabase(databaseUrl: string): Promise<Cuttable> {
  const url = new URL(databaseUrl);
  const way = await startCuttable(`http://${url.host}`);
  url.host = new URL(way.url).host;
  return { ...way, url: url.href };
}
