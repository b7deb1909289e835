/** Who changes something: for authorship, idempotency keys and the audit log. */
export type Actor = {
  /** `operator:<id>` or `token:<id>`. */
  key: string;
  operatorId: string | null;
  tokenId: string | null;
};
