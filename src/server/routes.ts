import type { IncomingMessage, ServerResponse } from 'node:http';
import { CONNECTOR_PATH } from '../connector/route.ts';
import type { Database } from '../db/database.ts';
import { missingMigrations } from '../db/migrations.ts';
import { limitBodyTime } from '../http/body-time.ts';
import { createDownloadRoute, findAttachmentFile, findExportFile } from '../http/downloads.ts';
import { createHealthRoute } from '../http/health.ts';
import { createMetricsRoute } from '../http/metrics.ts';
import { measureAnswer } from '../metrics/answers.ts';
import { GRAPHQL_PATH } from '../transport/http.ts';
import { isMultipart } from '../transport/upload.ts';
import { WEBHOOK_PATH } from '../webhooks/whatsapp.ts';
import type { Core } from './core.ts';
import type { Door } from './door.ts';

type Handle = (request: IncomingMessage, response: ServerResponse) => Promise<void> | void;

/** Every path of the server. */
export function createRoutes(
  core: Core,
  { addressOf, isOriginAllowed }: Door,
  { webhook, graphql, isStopping }: { webhook: Handle; graphql: Handle; isStopping: () => boolean },
) {
  const { db, env, log, metrics, requests, transport } = core;
  const health = createHealthRoute({
    problem: () => problemOf(db),
    redis: () => (env.redisUrl === undefined ? 'not used' : transport.isHealthy() ? 'connected' : 'away'),
    isStopping,
  });
  const showMetrics = createMetricsRoute({ registry: metrics.registry, token: env.metricsToken, addressOf });
  const sources = { attachments: findAttachmentFile(db), exports: findExportFile(db) };
  const download = createDownloadRoute({ files: core.files, links: core.fileLinks, sources, isOriginAllowed, log });

  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url?.split('?')[0];
    // Files have the much longer time of the server as a whole.
    const isUpload = path === GRAPHQL_PATH && isMultipart(request);
    if (!isUpload) limitBodyTime(request, response, env.requestTimeoutMs);
    measureAnswer(metrics, request, response);
    if (path === WEBHOOK_PATH) return webhook(request, response);
    if (path === CONNECTOR_PATH && requests.route) return requests.route(request, response);
    if (path?.startsWith(GRAPHQL_PATH)) return graphql(request, response);
    if (await download(request, response)) return;
    if (await showMetrics(request, response)) return;
    if (!(await health(request, response))) notFound(response);
  };
}

/** What keeps a process from its work: no database, or one that is older than the program. */
async function problemOf(db: Database): Promise<string | null> {
  try {
    const missing = await missingMigrations(db.pool);
    return missing.length > 0 ? `migrations are missing: ${missing.join(', ')}` : null;
  } catch {
    return 'the database is not available';
  }
}

function notFound(response: ServerResponse): void {
  response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' });
  response.end('Not found. GraphQL is at /graphql.');
}
