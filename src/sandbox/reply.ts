import { setTimeout as pause } from 'node:timers/promises';
import type { AnswerFault } from './faults.ts';
import { GraphError, titleOf } from './graph-error.ts';

/** What goes back over the wire. `afterwards` runs once it has been written, or at once where it never is. */
export type Reply = (
  | { kind: 'json'; httpStatus: number; body: unknown }
  | { kind: 'bytes'; httpStatus: number; headers: Record<string, string>; body: string | Uint8Array }
  | { kind: 'hang' }
  | { kind: 'cut' }
) & { afterwards?: () => void };

export function ok(body: unknown): Reply {
  return { kind: 'json', httpStatus: 200, body };
}

/** Runs the call through what goes wrong with it; `proceed` is what makes it happen. */
export async function misbehave(faults: readonly AnswerFault[], proceed: () => Promise<Reply>): Promise<Reply> {
  for (const fault of faults) {
    if (fault.kind !== 'slow') return spoil(fault, proceed);
    await pause(fault.ms, undefined, { ref: false });
  }
  return proceed();
}

async function spoil(fault: Exclude<AnswerFault, { kind: 'slow' }>, proceed: () => Promise<Reply>): Promise<Reply> {
  switch (fault.kind) {
    case 'error':
      throw asGraphError(fault);
    case 'server-error':
      return { ...page(fault.httpStatus ?? 502), ...(fault.accepted ? later(await proceed()) : {}) };
    case 'cut':
      return { kind: 'cut', ...(fault.accepted === false ? {} : later(await proceed())) };
    case 'hang':
      return { kind: 'hang', ...later(await proceed()) };
    case 'garbled':
      break;
  }
  return { ...bytes(200, 'application/json', '{"messaging_product":"whats'), ...later(await proceed()) };
}

function later({ afterwards }: Reply): { afterwards?: () => void } {
  return afterwards === undefined ? {} : { afterwards };
}

function page(httpStatus: number): Reply {
  return bytes(
    httpStatus,
    'text/html; charset=utf-8',
    '<!DOCTYPE html><title>Error</title><h1>Sorry, something went wrong.</h1>',
  );
}

function bytes(httpStatus: number, contentType: string, body: string): Reply {
  return { kind: 'bytes', httpStatus, headers: { 'content-type': contentType }, body };
}

function asGraphError({ code, subcode, httpStatus, details }: Extract<AnswerFault, { kind: 'error' }>): GraphError {
  const usual = new GraphError(code, `(#${code}) ${titleOf(code)}`);
  return new GraphError(code, usual.message, {
    httpStatus: httpStatus ?? usual.httpStatus,
    details: details ?? titleOf(code),
    ...(subcode === undefined ? {} : { subcode }),
  });
}
