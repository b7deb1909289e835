/** The beginnings of paths: few values, whatever is asked for. */
const ROUTES = ['/graphql', '/webhooks/whatsapp', '/files', '/healthz', '/readyz', '/metrics'] as const;

export type RouteName = (typeof ROUTES)[number] | 'other';

export function routeOf(url: string): RouteName {
  return ROUTES.find((route) => url.startsWith(route)) ?? 'other';
}

/** A stream stays open as long as its client likes. */
export function isStream({ accept }: { accept?: string | undefined }): boolean {
  return accept?.includes('text/event-stream') ?? false;
}
