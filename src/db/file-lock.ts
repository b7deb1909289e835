import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const retryMs = 25;
const timeoutMs = 90_000;
const unsignedMs = 2_000;

/** One process at a time; the lock of a process that died is taken over. */
export async function withFileLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  while (!tryLock(path)) {
    if (Date.now() > deadline) throw new Error(`${path} is held by another process that does not let go: delete it`);
    await sleep(retryMs);
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

function tryLock(path: string): boolean {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    const owner = readOwner(path);
    if (owner !== undefined && !isAlive(owner)) removeStale(path, owner);
    return false;
  }
}

// Moved aside first: of two that saw the same dead owner, the slower must not delete the lock that the faster took.
function removeStale(path: string, owner: number): void {
  const aside = `${path}.${randomUUID()}`;
  try {
    renameSync(path, aside);
    if (readOwner(aside) !== owner) linkSync(aside, path);
  } catch {
    // The other one did it.
  } finally {
    rmSync(aside, { force: true });
  }
}

/** 0 when nobody: the process died between making the file and writing into it. */
function readOwner(path: string): number | undefined {
  try {
    const owner = Number(readFileSync(path, 'utf8'));
    return owner > 0 || Date.now() - statSync(path).mtimeMs < unsignedMs ? owner || undefined : 0;
  } catch {
    return undefined;
  }
}

export function isAlive(pid: number): boolean {
  if (pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
