/** Does one thing after another, evenly over the given time, so that those whom it concerns do not all react at once. */
export async function spread<T>(items: readonly T[], overMs: number, act: (item: T) => void): Promise<void> {
  const begun = Date.now();
  for (const [index, item] of items.entries()) {
    const waitMs = begun + (overMs * index) / items.length - Date.now();
    if (waitMs >= 1) await new Promise((resolve) => setTimeout(resolve, waitMs));
    act(item);
  }
}
