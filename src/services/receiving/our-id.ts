const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Our own message id as it was sent in `biz_opaque_callback_data`. */
export function messageIdOf(opaqueId: string | null): string | null {
  return opaqueId && UUID.test(opaqueId) ? opaqueId : null;
}
