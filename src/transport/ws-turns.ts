type Take = (message: unknown) => Promise<void>;
type Turn = { hasBegun: boolean; isCompleted: boolean; end: Promise<void> };

/**
 * The operations of one socket by their ids. The library takes an id as free once the client has completed it, while what
 * ran under it still winds up, and takes the two for one: whoever comes next under the same id waits for that.
 */
export class Turns {
  private readonly open = new Map<string, Turn>();
  private readonly take: Take;

  /** `take` settles when what it was told of is over. */
  constructor(take: Take) {
    this.take = take;
  }

  hear(message: unknown): Promise<void> {
    const { type, id } = headOf(message);
    if (type === 'subscribe' && id !== null) return this.begin(id, message);
    if (type === 'complete' && id !== null) return this.complete(id, message);
    return this.take(message);
  }

  private begin(id: string, message: unknown): Promise<void> {
    const before = this.open.get(id);
    // An id that is in use is the library's affair.
    if (before && !before.isCompleted) return this.take(message);
    const turn: Turn = { hasBegun: false, isCompleted: false, end: Promise.resolve() };
    this.open.set(id, turn);
    turn.end = (before ? before.end.then(() => this.run(turn, message)) : this.run(turn, message)).finally(() => {
      if (this.open.get(id) === turn) this.open.delete(id);
    });
    return turn.end;
  }

  private async run(turn: Turn, message: unknown): Promise<void> {
    if (turn.isCompleted) return;
    turn.hasBegun = true;
    await this.take(message);
  }

  private async complete(id: string, message: unknown): Promise<void> {
    const turn = this.open.get(id);
    if (turn) turn.isCompleted = true;
    if (!turn || turn.hasBegun) await this.take(message);
  }
}

function headOf(message: unknown): { type: unknown; id: string | null } {
  if (typeof message !== 'object' || message === null) return { type: null, id: null };
  const { type, id } = message as { type?: unknown; id?: unknown };
  return { type, id: typeof id === 'string' ? id : null };
}
