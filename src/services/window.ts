import type { WindowOpener, WindowState } from '../generated/prisma/enums.ts';

const WINDOW_MS = 24 * 60 * 60 * 1000;
const MINUTE_MS = 60_000;

/** Meta's customer service window as the conversation row keeps it. All instants UTC. */
export type MessagingWindow = {
  openedAt: Date | null;
  openedBy: WindowOpener | null;
  /** First instant at which free-form text is refused. */
  expiresAt: Date | null;
};

/** Half-open: at `expiresAt` to the millisecond the window is closed. */
export function windowState(expiresAt: Date | null, now: Date, warningMinutes: number): WindowState {
  if (!expiresAt) return 'NEVER_OPENED';
  const leftMs = expiresAt.getTime() - now.getTime();
  if (leftMs <= 0) return 'CLOSED';
  return leftMs <= warningMinutes * MINUTE_MS ? 'EXPIRING_SOON' : 'OPEN';
}

/** The same, asked the other way round: where `expiresAt` lies in this state; null where there is none. */
export function windowRange(
  state: WindowState,
  now: Date,
  warningMinutes: number,
): { after: Date | null; upTo: Date | null } | null {
  const soon = new Date(now.getTime() + warningMinutes * MINUTE_MS);
  switch (state) {
    case 'NEVER_OPENED':
      return null;
    case 'CLOSED':
      return { after: null, upTo: now };
    case 'EXPIRING_SOON':
      return { after: now, upTo: soon };
    case 'OPEN':
      return { after: soon, upTo: null };
  }
}

export function isWindowOpen(expiresAt: Date | null, now: Date): boolean {
  return expiresAt !== null && now < expiresAt;
}

/** A customer message or call at Meta's time `at` opens or refreshes it. An older one never shortens it. */
export function extendWindow(window: MessagingWindow, at: Date, opener: WindowOpener): MessagingWindow {
  const expiresAt = new Date(at.getTime() + WINDOW_MS);
  if (window.expiresAt && expiresAt <= window.expiresAt) return window;
  return { openedAt: at, openedBy: opener, expiresAt };
}

/** Meta refused free-form text (131047) `at`: its word counts, whatever our clock says, but not for what came later. */
export function closeWindow(window: MessagingWindow, at: Date): MessagingWindow {
  const isOpenedLater = window.openedAt !== null && window.openedAt > at;
  return isOpenedLater || !isWindowOpen(window.expiresAt, at) ? window : { ...window, expiresAt: at };
}
