import type { Frame } from '../events/member.ts';

const END_OF_FRAME = Buffer.from('\n\n');
const texts = new WeakMap<Frame, Buffer>();

/** A frame as an event of the response; the same for everyone who follows, so put together once. */
export function eventOf(frame: Frame): Buffer {
  const text = texts.get(frame) ?? write(frame);
  texts.set(frame, text);
  return text;
}

function write({ payload, cursor }: Frame): Buffer {
  const head = `event: next\n${cursor === null ? '' : `id: ${cursor}\n`}data: `;
  return Buffer.concat([Buffer.from(head), payload, END_OF_FRAME]);
}
