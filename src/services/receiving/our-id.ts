const OURS = /^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})(?:\.(\d{1,9}))?$/;

/** What is sent in `biz_opaque_callback_data` and comes back in every status: our message, and which try of it. */
export function opaqueIdOf(messageId: string, retries: number): string {
  return retries === 0 ? messageId : `${messageId}.${retries}`;
}

/** Our own message id, or null where the status is not about a message of ours. */
export function messageIdOf(opaqueId: string | null): string | null {
  return OURS.exec(opaqueId ?? '')?.[1] ?? null;
}

/** How often the message had been sent anew when the try was made that the status tells of. */
export function retriesOf(opaqueId: string | null): number {
  return Number(OURS.exec(opaqueId ?? '')?.[2] ?? 0);
}
