type Told = { message: string; extensions?: { code?: string } };

/** What a client does when its subscription ended: come back where it stood, come back from now on, or stay away. */
export type Sequel = 'resume' | 'begin anew' | 'stop';

const FINAL = ['UNAUTHENTICATED', 'FORBIDDEN', 'MODULE_DISABLED', 'MODULE_NOT_LICENSED', 'BAD_USER_INPUT'];

export function sequelOf(errors: readonly Told[]): Sequel {
  const codes = errors.map(({ extensions }) => extensions?.code ?? '');
  if (codes.includes('CURSOR_EXPIRED')) return 'begin anew';
  return codes.some((code) => FINAL.includes(code)) ? 'stop' : 'resume';
}

export function describe(errors: readonly Told[]): string {
  return errors.map(({ message, extensions }) => `${extensions?.code ?? 'error'}: ${message}`).join('; ');
}

/** A GraphQL answer's errors; none where it is no GraphQL answer, as a proxy's is. */
export function errorsIn(text: string): readonly Told[] {
  try {
    // The shape that GraphQL over HTTP promises.
    return (JSON.parse(text) as { errors?: Told[] }).errors ?? [];
  } catch {
    return [];
  }
}

export function areErrors(error: unknown): error is readonly Told[] {
  return Array.isArray(error);
}

/** The end of the program: there is no sense in coming back. */
export function giveUp(why: string, token: string): void {
  console.error(token ? why : `${why}\nTOKEN is empty: set it to a token of the server, TOKEN=… npm run dashboard`);
  process.exitCode = 1;
}
