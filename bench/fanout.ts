import { postMessage, startDeployment, ADDED, ADDED_WITHOUT_CURSOR } from './fanout/setup.ts';
import { Crowd } from '../test/support/crowd.ts';
import { startMeasured, type Measured } from './fanout/process.ts';
import { figure, median, percentile, table } from './report.ts';

/** What one delivery costs: our server beside raw `ws.send` of the same bytes and beside yoga with graphql-ws. */
const ROUNDS = Number(process.env.ROUNDS ?? 3);
const SECONDS = Number(process.env.SECONDS ?? 2);
const SIZES = (process.env.SOCKETS ?? '1000,5000').split(',').map(Number);
const PACED_EVENTS = 30;
/** What a socket costs is seen on those after the first, for which a process has other things to set up. */
const WARM = 200;
/** V8's young generation grows once, to 110 MB, with any work: where sockets are weighed it is kept small. */
const WEIGHED = ['--max-semi-space-size=4'];
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

type Variant = {
  name: string;
  start: (flags?: string[]) => Promise<Measured>;
  fire: (server: Measured) => unknown;
};
const tell = (server: Measured) => server.child.send({ payload });
const variants: Variant[] = [
  {
    name: 'ours, through Redis',
    start: (flags) => startMeasured('src/main.ts', [], deployment.settings, flags),
    fire: () => deployment.tell(event),
  },
  {
    name: 'raw ws.send of the same bytes',
    start: (flags) => startMeasured('bench/fanout/rival.ts', ['raw'], {}, flags),
    fire: tell,
  },
  {
    name: 'yoga with graphql-ws, as documented',
    start: (flags) => startMeasured('bench/fanout/rival.ts', ['documented'], {}, flags),
    fire: tell,
  },
];
const servers = [ours, ...(await Promise.all(variants.slice(1).map(async ({ start }) => stack.use(await start()))))];

for (const size of SIZES) await compare(size);
await resume(1_000);

async function compare(size: number): Promise<void> {
  const runs = [];
  for (const [index, variant] of variants.slice(0, size > 1_000 ? 2 : 3).entries()) {
    const server = servers[index] ?? ours;
    const fire = () => variant.fire(server);
    const kbPerSocket = await weigh(variant, size);
    const crowd = new Crowd(server.url, deployment.token);
    await crowd.join(size, { query: ADDED_WITHOUT_CURSOR });
    await crowd.subscribed(fire);
    await oneByOne({ server, fire, crowd }, 1);
    const measured = { cpuUs: [] as number[], perSecond: [] as number[], paced: [] as number[] };
    runs.push({ name: variant.name, server, fire, crowd, kbPerSocket, ...measured });
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const run of runs) {
      run.cpuUs.push(await oneByOne(run, SECONDS));
      run.perSecond.push(await flood(run, SECONDS));
    }
  }
  for (const run of runs) run.paced = await paced(run);
  for (const { crowd } of runs) crowd.leave();
  await settle();

  const range = (values: number[]) =>
    `${median(values).toFixed(1)} (${Math.min(...values).toFixed(1)}-${Math.max(...values).toFixed(1)})`;
  table(
    [`${size} sockets`, 'µs CPU per delivery', 'deliveries/s', 'kB per socket', 'p50, ms', 'p99, ms'],
    runs.map((run) => [
      run.name,
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

type Run = { server: Measured; fire: () => unknown; crowd: Crowd };

/** Resident memory of each socket after the first ones, in a process of its own. */
async function weigh(variant: Variant, size: number): Promise<number> {
  await using server = await variant.start(WEIGHED);
  const crowd = new Crowd(server.url, deployment.token);
  const fire = () => variant.fire(server);
  await crowd.join(WARM, { query: ADDED_WITHOUT_CURSOR });
  await crowd.subscribed(fire);
  const before = server.rssKb();
  await crowd.join(size - WARM, { query: ADDED_WITHOUT_CURSOR });
  await crowd.subscribed(fire);
  const kbPerSocket = (server.rssKb() - before) / (size - WARM);
  crowd.leave();
  return kbPerSocket;
}

/** The next event when everyone has the last one: CPU per delivery where none can share a system call with the next. */
async function oneByOne({ server, fire, crowd }: Run, seconds: number): Promise<number> {
  const cpu = server.cpuMs();
  const until = performance.now() + seconds * 1000;
  let deliveries = 0;
  while (performance.now() < until) {
    await fire();
    await crowd.frames(crowd.size);
    deliveries += crowd.size;
  }
  return ((server.cpuMs() - cpu) * 1000) / deliveries;
}

/** Deliveries per second where there is always something to deliver. */
async function flood({ fire, crowd }: Run, seconds: number): Promise<number> {
  const begun = performance.now();
  let told = 0;
  let come = 0;
  while (performance.now() - begun < seconds * 1000 || come < told) {
    for (; told - come < AHEAD && performance.now() - begun < seconds * 1000; told++) await fire();
    if (come < told) await crowd.frames(crowd.size);
    come = Math.min(come + 1, told);
  }
  return (come * crowd.size * 1000) / (performance.now() - begun);
}

/** Ten events per second: from telling to the last socket. */
async function paced({ fire, crowd }: Run): Promise<number[]> {
  const latencies: number[] = [];
  for (let sent = 0; sent < PACED_EVENTS; sent++) {
    const begun = performance.now();
    await fire();
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
