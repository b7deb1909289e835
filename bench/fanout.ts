import { postMessage, startDeployment, ADDED, ADDED_WITHOUT_CURSOR } from './fanout/setup.ts';
import { Crowd } from '../test/support/crowd.ts';
import { startMeasured, type Measured } from './fanout/process.ts';
import { figure, median, percentile, table } from './report.ts';

/** What one delivery costs: our server beside raw `ws.send` of the same bytes and beside yoga with graphql-ws. */
const ROUNDS = Number(process.env.ROUNDS ?? 3);
const SECONDS = Number(process.env.SECONDS ?? 2);
const SIZES = (process.env.SOCKETS ?? '1000,5000').split(',').map(Number);
const PACED_EVENTS = 30;
/**
 * V8's young generation grows once, to 110 MB, with the garbage of any work. So the first sockets get events for some
 * seconds, and what a socket costs is seen on those after them.
 */
const WARM = 200;
const WARM_SECONDS = 4;
/** So many events are told before the first of them has come to everyone: no server waits for the one who tells. */
const AHEAD = 8;

await using stack = new AsyncDisposableStack();
const deployment = stack.use(await startDeployment());
const ours = stack.use(await startMeasured('src/main.ts', [], deployment.settings));
await postMessage(ours.url, 'Dobrý den, kdy máte otevřeno? Rád bych se zastavil ještě dnes odpoledne.');
const [message] = await deployment.db.prisma.message.findMany({ include: { conversation: true } });
if (!message) throw new Error('the message was not stored');
const event = {
  conversationId: message.conversationId,
  messageId: message.id,
  businessNumberId: message.conversation.businessNumberId,
};
const payload = await onePayload();

type Variant = { name: string; server: Measured; fire: () => unknown; query: string };
const variants: Variant[] = [
  { name: 'ours, through Redis', server: ours, fire: () => deployment.tell(event), query: ADDED_WITHOUT_CURSOR },
  ...(await Promise.all(
    (['raw', 'documented'] as const).map(async (kind) => {
      const server = stack.use(await startMeasured('bench/fanout/rival.ts', [kind], {}));
      const name = kind === 'raw' ? 'raw ws.send of the same bytes' : 'yoga with graphql-ws, as documented';
      return { name, server, fire: () => server.child.send({ payload }), query: ADDED_WITHOUT_CURSOR };
    }),
  )),
];

for (const size of SIZES) await compare(size);
await resume(1_000);

async function compare(size: number): Promise<void> {
  const here = size > 1_000 ? variants.slice(0, 2) : variants;
  const runs = [];
  for (const variant of here) {
    const crowd = new Crowd(variant.server.url, deployment.token);
    await crowd.join(WARM, { query: variant.query });
    await crowd.subscribed(variant.fire);
    await flood(variant, crowd, WARM_SECONDS);
    const before = variant.server.rssKb();
    await crowd.join(size - WARM, { query: variant.query });
    await crowd.subscribed(variant.fire);
    const kbPerSocket = (variant.server.rssKb() - before) / (size - WARM);
    runs.push({ variant, crowd, kbPerSocket, cpuUs: [] as number[], perSecond: [] as number[], paced: [] as number[] });
    await oneByOne(variant, crowd, 1);
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const run of runs) {
      run.cpuUs.push(await oneByOne(run.variant, run.crowd, SECONDS));
      run.perSecond.push(await flood(run.variant, run.crowd, SECONDS));
    }
  }
  for (const run of runs) run.paced = await paced(run.variant, run.crowd);
  for (const { crowd } of runs) crowd.leave();
  await settle();

  const range = (values: number[]) =>
    `${median(values).toFixed(1)} (${Math.min(...values).toFixed(1)}-${Math.max(...values).toFixed(1)})`;
  table(
    [`${size} sockets`, 'µs CPU per delivery', 'deliveries/s', 'kB per socket', 'p50, ms', 'p99, ms'],
    runs.map((run) => [
      run.variant.name,
      range(run.cpuUs),
      range(run.perSecond),
      run.kbPerSocket.toFixed(1),
      percentile(run.paced, 50).toFixed(1),
      percentile(run.paced, 99).toFixed(1),
    ]),
  );
  const [own, raw, documented] = runs;
  if (!own || !raw) return;
  figure(`fanout.raw_cpu_share_${size}`, median(raw.cpuUs) / median(own.cpuUs));
  figure(`fanout.kb_per_socket_${size}`, own.kbPerSocket);
  if (documented) figure('fanout.vs_documented', median(own.perSecond) / median(documented.perSecond));
}

/** The next event when everyone has the last one: CPU per delivery where none can share a system call with the next. */
async function oneByOne(variant: Variant, crowd: Crowd, seconds: number): Promise<number> {
  const cpu = variant.server.cpuMs();
  const until = performance.now() + seconds * 1000;
  let deliveries = 0;
  while (performance.now() < until) {
    await variant.fire();
    await crowd.frames(crowd.size);
    deliveries += crowd.size;
  }
  return ((variant.server.cpuMs() - cpu) * 1000) / deliveries;
}

/** Deliveries per second where there is always something to deliver. */
async function flood(variant: Variant, crowd: Crowd, seconds: number): Promise<number> {
  const begun = performance.now();
  let told = 0;
  let come = 0;
  while (performance.now() - begun < seconds * 1000 || come < told) {
    for (; told - come < AHEAD && performance.now() - begun < seconds * 1000; told++) await variant.fire();
    if (come < told) await crowd.frames(crowd.size);
    come = Math.min(come + 1, told);
  }
  return (come * crowd.size * 1000) / (performance.now() - begun);
}

/** Ten events per second: from telling to the last socket. */
async function paced(variant: Variant, crowd: Crowd): Promise<number[]> {
  const latencies: number[] = [];
  for (let sent = 0; sent < PACED_EVENTS; sent++) {
    const begun = performance.now();
    await variant.fire();
    await crowd.frames(crowd.size);
    latencies.push(performance.now() - begun);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, 100 - (performance.now() - begun))));
  }
  return latencies;
}

/** Everyone comes back at once after a hundred events. */
async function resume(size: number): Promise<void> {
  const missed = 100;
  const { epoch, seq } = await deployment.db.prisma.streamHead.findUniqueOrThrow({ where: { id: 1 } });
  const after = Buffer.from(`1.${epoch}.${seq}`).toString('base64url');
  for (let sent = 0; sent < missed; sent++) await deployment.tell(event);
  const crowd = new Crowd(ours.url, deployment.token);
  const begun = performance.now();
  const cpu = ours.cpuMs();
  await crowd.join(size, { query: ADDED, variables: { after } }, size);
  await crowd.frames(size * missed);
  const seconds = (performance.now() - begun) / 1000;
  table(
    ['resuming', 's', 'CPU of the server, s'],
    [[`${size} sockets, ${missed} events each`, seconds.toFixed(2), ((ours.cpuMs() - cpu) / 1000).toFixed(2)]],
  );
  figure(`resume.seconds_${size}`, seconds);
  crowd.leave();
}

async function onePayload(): Promise<unknown> {
  const { createClient } = await import('graphql-ws');
  const client = createClient({
    url: `${ours.url.replace('http', 'ws')}/graphql`,
    connectionParams: { authorization: `Bearer ${deployment.token}` },
  });
  const first = client.iterate({ query: ADDED_WITHOUT_CURSOR });
  const next = first.next();
  await settle();
  await deployment.tell(event);
  const { value } = await next;
  await client.dispose();
  return value;
}

function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 500));
}
