import type { LoggedEvent } from '../db/event-log.ts';
import type { Tracing } from './tracing.ts';

/** What became of a message belongs to the trace of who wrote it, whichever webhook told of it. */
export function noteStatuses(tracing: Tracing, events: readonly LoggedEvent[]): void {
  const present = tracing.present();
  for (const { type, traceParent, data, messageId, recordedAt } of events) {
    if (type !== 'MESSAGE_STATUS_CHANGED' || traceParent === null || traceParent === present) continue;
    tracing.note({
      name: `status ${String(data.status)}`,
      after: traceParent,
      links: present ? [present] : [],
      startedAt: new Date(recordedAt),
      attributes: { 'cdesk.message.id': messageId ?? '' },
    });
  }
}
