/** `setTimeout` holds 24 days at most, and a machine that slept or was set right must not ring early or days late. */
const MAX_WAIT_MS = 60_000;

/** Rings once at this instant, however far away it is; gives back what silences it. */
export function setAlarm(at: Date, ring: () => void): () => void {
  let timer: NodeJS.Timeout;
  const wait = () => {
    const left = at.getTime() - Date.now();
    if (left <= 0) return ring();
    timer = setTimeout(wait, Math.min(left, MAX_WAIT_MS));
    timer.unref();
  };
  timer = setTimeout(wait, Math.max(0, Math.min(at.getTime() - Date.now(), MAX_WAIT_MS)));
  timer.unref();
  return () => clearTimeout(timer);
}
