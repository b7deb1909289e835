import { z } from 'zod';

/** How much of Meta's call limits is used up, as the answer's headers tell. */
export type Usage = {
  /** The highest of Meta's three figures; from 100 on calls are refused. */
  percent: number;
  /** 0 while calls are accepted. */
  minutesToRegain: number;
};

const figures = z.object({
  call_count: z.number().catch(0),
  total_cputime: z.number().catch(0),
  total_time: z.number().catch(0),
  estimated_time_to_regain_access: z.number().catch(0),
});
const byAccount = z.record(z.string(), z.array(figures));

/** Null when neither header is there: errors before Meta knows the account carry none. */
export function readUsage(headers: { get(name: string): string | null }): Usage | null {
  const accounts = byAccount.safeParse(parse(headers.get('x-business-use-case-usage')));
  if (accounts.success) return highest(Object.values(accounts.data).flat());

  const app = figures.safeParse(parse(headers.get('x-app-usage')));
  return app.success ? highest([app.data]) : null;
}

function highest(all: z.infer<typeof figures>[]): Usage | null {
  if (all.length === 0) return null;
  return {
    percent: Math.max(...all.flatMap((one) => [one.call_count, one.total_cputime, one.total_time])),
    minutesToRegain: Math.max(...all.map((one) => one.estimated_time_to_regain_access)),
  };
}

function parse(header: string | null): unknown {
  if (header === null) return undefined;
  try {
    return JSON.parse(header);
  } catch {
    return undefined;
  }
}
