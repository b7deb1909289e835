/** What the dashboard asks for, and how it shows it: the same over WebSocket and over Server-Sent Events. */
export const EVENTS = `subscription Dashboard($after: EventCursor) {
  events(types: [BEACON_CHANGED, MESSAGE_STATUS_CHANGED], after: $after) {
    __typename eventId cursor recordedAt
    ... on BeaconChanged { on reason conversationId conversation { number participant { displayName } } }
    ... on MessageStatusChanged { status previous conversationId message { conversation { number } } }
  }
}`;

type Base = { eventId: string; cursor: string; recordedAt: string };
type Numbered = { number: number; participant?: { displayName: string } } | null;

export type DashboardEvent =
  | (Base & { __typename: 'StreamProgress' })
  | (Base & {
      __typename: 'BeaconChanged';
      on: boolean;
      reason: string;
      conversationId: string;
      conversation: Numbered;
    })
  | (Base & {
      __typename: 'MessageStatusChanged';
      status: string;
      previous: string;
      conversationId: string;
      message: { conversation: Numbered } | null;
    });

/** One line for the terminal; null for what is not shown. */
export function lineOf(event: DashboardEvent): string | null {
  const at = new Date(event.recordedAt).toLocaleTimeString();
  switch (event.__typename) {
    case 'StreamProgress':
      return null;
    case 'BeaconChanged':
      return `${at}  ${event.on ? '● waits' : '○ answered'}  ${nameOf(event.conversation, event)}  (${event.reason})`;
    case 'MessageStatusChanged':
      return `${at}  ${event.previous} → ${event.status}  ${nameOf(event.message?.conversation ?? null, event)}`;
  }
}

/** A token without READ_CONVERSATIONS gets ids alone. */
function nameOf(conversation: Numbered, { conversationId }: { conversationId: string }): string {
  if (!conversation) return conversationId;
  return `#${conversation.number} ${conversation.participant?.displayName ?? ''}`.trimEnd();
}
