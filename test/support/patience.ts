/** A time limit, longer on a busy machine. */
export function patience(ms: number): number {
  return ms * Number(process.env.TEST_PATIENCE ?? 1);
}
