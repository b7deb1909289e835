import { Crowd } from '../test/support/crowd.ts';
import { startMeasured } from './fanout/process.ts';
import { ADDED_WITHOUT_CURSOR, postMessage, startDeployment } from './fanout/setup.ts';
import { figure, percentile, table } from './report.ts';

/** A webhook to one process, until the last of a thousand sockets on another has it, through Redis. */
const SOCKETS = Number(process.env.SOCKETS ?? 1_000);
const WEBHOOKS = Number(process.env.WEBHOOKS ?? 200);
const PER_SECOND = 10;

await using stack = new AsyncDisposableStack();
const deployment = stack.use(await startDeployment());
const taking = stack.use(await startMeasured('src/main.ts', [], deployment.settings));
const serving = stack.use(await startMeasured('src/main.ts', [], { ...deployment.settings, ROLE: 'api' }));
const crowd = new Crowd(serving.url, deployment.token);
await crowd.join(SOCKETS, { query: ADDED_WITHOUT_CURSOR });
await crowd.subscribed(() => postMessage(taking.url, 'Dobrý den'));
for (let warm = 0; warm < 20; warm++) await deliver();

const latencies: number[] = [];
for (let sent = 0; sent < WEBHOOKS; sent++) {
  const took = await deliver();
  latencies.push(took);
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, 1000 / PER_SECOND - took)));
}

table(
  [`webhook to the last of ${SOCKETS} sockets of another process`, 'ms'],
  [50, 90, 99, 100].map((percent) => [
    percent === 100 ? 'longest' : `p${percent}`,
    percentile(latencies, percent).toFixed(1),
  ]),
);
figure(`end_to_end.p50_ms_${SOCKETS}`, percentile(latencies, 50));
figure(`end_to_end.p99_ms_${SOCKETS}`, percentile(latencies, 99));

async function deliver(): Promise<number> {
  const begun = performance.now();
  const answered = postMessage(taking.url, 'Dobrý den, kdy máte otevřeno?');
  await crowd.frames(SOCKETS);
  const took = performance.now() - begun;
  await answered;
  return took;
}
