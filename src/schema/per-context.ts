import type { Context } from '../context.ts';

/** Something that is made once for each operation and event, such as a loader that only one noun needs. */
export function perContext<T>(create: (context: Context) => T): (context: Context) => T {
  const made = new WeakMap<Context, T>();
  return (context) => {
    const known = made.get(context);
    if (known !== undefined) return known;
    const value = create(context);
    made.set(context, value);
    return value;
  };
}
