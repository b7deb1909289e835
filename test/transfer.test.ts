import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { watchTransfer } from '../src/jobs/transfer.ts';

it('a long transfer tells again and again how far it is, and nothing once it is over', async () => {
  const told: number[] = [];
  const goOn = Promise.withResolvers<void>();
  const slow = async function* () {
    yield Buffer.from('abc');
    await goOn.promise;
    yield Buffer.from('de');
  };
  const tell = (bytes: number) => {
    told.push(bytes);
    if (told.filter((one) => one === 3).length === 2) goOn.resolve();
  };

  let received = 0;
  {
    using transfer = watchTransfer(slow(), tell, 5);
    for await (const chunk of transfer.content) received += chunk.byteLength;
  }
  const toldInTime = told.length;
  await pause(20);

  expect(received).toBe(5);
  expect(told.slice(0, 2).every((bytes) => bytes === 0 || bytes === 3)).toBe(true);
  expect(told).toHaveLength(toldInTime);
});
