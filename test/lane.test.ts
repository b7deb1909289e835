import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createLane } from '../src/webhooks/lane.ts';

type Entry = { at: number; names: Set<string> };

const entries = fc.array(fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), { maxLength: 3 }), {
  minLength: 1,
  maxLength: 40,
});
/** How many turns of the event loop pass before a batch is handed over, and then until it is written. */
const delays = fc.array(fc.tuple(fc.nat(3), fc.nat(3)), { minLength: 1, maxLength: 10 });

it('writes two batches at once, never what has a name in common, and keeps the order of that', async () => {
  let mostUnderWay = 0;
  await fc.assert(
    fc.asyncProperty(entries, delays, fc.nat(5), async (names, turns, perTurn) => {
      const written: Entry[] = [];
      const underWay = new Set<Entry[]>();
      let begun = 0;
      let isWorking = false;
      const lane = createLane<Entry>({
        maxUnits: 5,
        unitsOf: () => 1,
        namesOf: (entry) => entry.names,
        async write(batch, handOver) {
          expect(isWorking).toBe(false);
          isWorking = true;
          expect(batch.length).toBeLessThanOrEqual(5);
          for (const other of underWay) {
            for (const entry of batch)
              for (const { names } of other) expect([...entry.names.intersection(names)]).toEqual([]);
          }
          underWay.add(batch);
          mostUnderWay = Math.max(mostUnderWay, underWay.size);
          expect(underWay.size).toBeLessThanOrEqual(2);
          const [beforeHandOver, afterwards] = turns[begun++ % turns.length] ?? [0, 0];
          for (let n = 0; n < beforeHandOver; n++) await turn();
          isWorking = false;
          handOver();
          for (let n = 0; n < afterwards; n++) await turn();
          underWay.delete(batch);
          written.push(...batch);
        },
      });
      for (const [at, each] of names.entries()) {
        lane.add({ at, names: new Set(each) });
        if (perTurn > 0 && at % perTurn === 0) await turn();
      }
      await lane.drain();
      expect(written.map(({ at }) => at).toSorted((a, b) => a - b)).toEqual([...names.keys()]);
      for (const name of new Set(names.flat())) {
        const order = written.filter((entry) => entry.names.has(name)).map(({ at }) => at);
        expect(order).toEqual(order.toSorted((a, b) => a - b));
      }
    }),
    { numRuns: 300 },
  );
  expect(mostUnderWay).toBe(2);
});

it('goes on after a batch that was never handed over', async () => {
  const written: number[] = [];
  const lane = createLane<number>({
    maxUnits: 1,
    unitsOf: () => 1,
    namesOf: () => new Set(),
    write: async (batch) => {
      await turn();
      written.push(...batch);
    },
  });
  for (const entry of [1, 2, 3]) lane.add(entry);
  await lane.drain();
  expect(written).toEqual([1, 2, 3]);
});

it('shares what came at once between two batches, and leaves a few for the next', async () => {
  const { lane, sizes, written } = heldLane();
  for (let entry = 0; entry < 80; entry++) lane.add(entry);
  await turn();
  lane.add(80);
  await turn();
  await turn();

  written.resolve();
  await lane.drain();

  expect(sizes).toEqual([40, 41]);
});

it('begins a second batch for a few only where the first is not much larger, and with what the next turns bring', async () => {
  const { lane, sizes, written } = heldLane();
  for (let entry = 0; entry < 12; entry++) lane.add(entry);
  await turn();
  for (let entry = 0; entry < 2; entry++) lane.add(entry);
  await turn();
  expect(sizes).toEqual([12]);
  lane.add(14);
  await turn();
  expect(sizes).toEqual([12]);
  lane.add(15);
  await turn();
  await turn();
  expect(sizes).toEqual([12, 4]);

  written.resolve();
  await lane.drain();
});

/** Its batches are handed over at once, and written when `written` says so. */
function heldLane() {
  const sizes: number[] = [];
  const written = Promise.withResolvers<void>();
  const lane = createLane<number>({
    maxUnits: 100,
    unitsOf: () => 1,
    namesOf: () => new Set(),
    async write(batch, handOver) {
      sizes.push(batch.length);
      handOver();
      await written.promise;
    },
  });
  return { lane, sizes, written };
}
