const PROGRESS_MS = 15_000;

export type Transfer = Disposable & { content: AsyncIterable<Uint8Array> };

/** Counts what passes through and tells of it every while until it is disposed, so that a long transfer shows in the log. */
export function watchTransfer(
  content: AsyncIterable<Uint8Array>,
  tell: (bytes: number) => void,
  everyMs: number = PROGRESS_MS,
): Transfer {
  let passed = 0;
  const timer = setInterval(() => tell(passed), everyMs);
  return {
    content: counted(content, (bytes) => (passed += bytes)),
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

async function* counted(content: AsyncIterable<Uint8Array>, count: (bytes: number) => void) {
  for await (const chunk of content) {
    count(chunk.byteLength);
    yield chunk;
  }
}
