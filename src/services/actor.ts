/** Who changes something, and from where: for authorship, idempotency keys and the audit log. */
export type Actor = {
  /** `operator:<id>` or `token:<id>`. */
  key: string;
  operatorId: string | null;
  tokenId: string | null;
  /** Network address; null where the change does not come from a request. */
  address: string | null;
};
