/** Counts characters, of which an emoji may be one and JavaScript's length two. */
export function isLongerThan(text: string, max: number): boolean {
  return text.length > max && Array.from(text).length > max;
}
