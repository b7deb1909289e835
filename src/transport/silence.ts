const done = { done: true, value: undefined } as const;

/** What graphql-ws waits for while the hub writes the frames: yields nothing and ends with the subscription. */
export class Silence implements AsyncGenerator<never> {
  isEnded = false;
  private readonly end = Promise.withResolvers<IteratorResult<never>>();
  private readonly onEnd: () => void;

  constructor(onEnd: () => void) {
    this.onEnd = onEnd;
    // It may fail before anybody waits for it.
    this.end.promise.catch(() => {});
  }

  next(): Promise<IteratorResult<never>> {
    return this.end.promise;
  }

  /** The library makes an `error` frame of it; a result with errors would be a `next`. */
  fail(error: unknown): void {
    this.finish(() => this.end.reject(error));
  }

  async return(): Promise<IteratorResult<never>> {
    this.finish(() => this.end.resolve(done));
    return done;
  }

  async throw(error: unknown): Promise<IteratorResult<never>> {
    await this.return();
    throw error;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private finish(settle: () => void): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.onEnd();
    settle();
  }
}
