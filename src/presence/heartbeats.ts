import type { OperatorViewer, Viewer } from '../auth.ts';
import type { Database } from '../db/database.ts';
import { saveTokenUse } from '../db/statements/api-tokens.ts';
import type { Heartbeat } from '../db/statements/operators.ts';
import { transaction } from '../db/transaction.ts';
import type { Log } from '../log.ts';
import { announceExpired, recordHeartbeats } from '../services/operator-presence.ts';

export type Heartbeats = AsyncDisposable & {
  /** A request or a new connection of this viewer. Never waits, never throws. */
  seen(viewer: Viewer): void;
};

const MAX_BEAT_MS = 10_000;
const BEATS_PER_EXPIRY = 4;
const LOOKS_PER_EXPIRY = 12;
/** Who was not here a moment ago is told of at once; those who come together are told together. */
const FIRST_BEAT_MS = 100;

/**
 * Who is here, in PostgreSQL: one statement per beat for everybody who is connected to this process or has asked
 * something, which is also where `lastSeenAt` and a token's last use come from. A process that dies stops beating, and
 * any other one tells of those whose time ran out.
 */
export function startHeartbeats(options: {
  db: Database;
  connections: () => Iterable<{ viewer: Viewer }>;
  /** How long a heartbeat holds. */
  onlineMs: number;
  log: Log;
}): Heartbeats {
  const { db, connections, onlineMs, log } = options;
  const beatMs = Math.min(MAX_BEAT_MS, onlineMs / BEATS_PER_EXPIRY);
  const requests = new Map<string, Heartbeat>();
  const tokenUse = new Map<string, Date>();
  let told = new Set<string>();
  let isStopped = false;
  let first: NodeJS.Timeout | null = null;
  let running: Promise<void> = Promise.resolve();
  const beatTimer = setInterval(() => enqueue(beat), beatMs);
  const lookTimer = setInterval(() => enqueue(() => announceExpired(db, onlineMs)), onlineMs / LOOKS_PER_EXPIRY);

  return {
    seen(viewer) {
      if (viewer.kind === 'token') return void tokenUse.set(viewer.tokenId, new Date());
      note(requests, viewer, new Date());
      if (told.has(viewer.operatorId) || first) return;
      first = setTimeout(() => {
        first = null;
        enqueue(beat);
      }, FIRST_BEAT_MS);
    },
    async [Symbol.asyncDispose]() {
      isStopped = true;
      clearInterval(beatTimer);
      clearInterval(lookTimer);
      if (first) clearTimeout(first);
      await running;
      await attempt(beat);
    },
  };

  function enqueue(work: () => Promise<void>): void {
    running = running.then(() => (isStopped ? undefined : attempt(work)));
  }

  async function attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      log.debug({ err: error }, 'presence could not be written; the next beat tries again');
    }
  }

  async function beat(): Promise<void> {
    const beats = new Map(requests);
    requests.clear();
    const now = new Date();
    for (const { viewer } of connections()) if (viewer.kind === 'operator') note(beats, viewer, now);
    told = new Set(beats.keys());
    if (beats.size > 0) await recordHeartbeats(db, [...beats.values()], onlineMs);
    await saveUse();
  }

  async function saveUse(): Promise<void> {
    if (tokenUse.size === 0) return;
    const used = new Map(tokenUse);
    tokenUse.clear();
    await transaction(db, (tx) => saveTokenUse(tx, used));
  }
}

/** Of several log-ins of one operator the newest counts. */
function note(beats: Map<string, Heartbeat>, { operatorId, issuedAt }: OperatorViewer, at: Date): void {
  const known = beats.get(operatorId);
  const isNewer = known?.issuedAt == null || (issuedAt !== null && issuedAt > known.issuedAt);
  beats.set(operatorId, { operatorId, issuedAt: isNewer ? issuedAt : known.issuedAt, at });
}
