import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';
import type { LoggedEvent } from '../db/event-log.ts';

export type StoredBatch = { deliveries: number; items: number; oldestMs: number };

/** What an operator of this service watches; read by Prometheus at /metrics. Labels have few values, never an id. */
export type Metrics = {
  registry: Registry;
  answered(route: string, status: number, seconds: number): void;
  stored(batch: StoredBatch): void;
  committed(events: readonly LoggedEvent[]): void;
  refused(code: string, limit: string | null): void;
};

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const SIZES = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000];

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const requests = new Histogram({
    name: 'cdesk_http_request_seconds',
    help: 'Time from the request to the end of its answer, by route and status',
    labelNames: ['route', 'status'],
    buckets: SECONDS,
    registers,
  });
  const lag = new Histogram({
    name: 'cdesk_ingest_seconds',
    help: 'From the arrival of the oldest delivery of a batch to its commit',
    buckets: SECONDS,
    registers,
  });
  const batches = new Histogram({
    name: 'cdesk_ingest_batch_deliveries',
    help: 'Deliveries in one transaction',
    buckets: SIZES,
    registers,
  });
  const items = new Counter({ name: 'cdesk_ingest_items_total', help: 'Messages, statuses and others', registers });
  const events = new Counter({
    name: 'cdesk_events_total',
    help: 'Events committed by this process',
    labelNames: ['type'],
    registers,
  });
  const statuses = new Counter({
    name: 'cdesk_message_statuses_total',
    help: 'Statuses that messages of ours came to; FAILED is what operators notice',
    labelNames: ['status'],
    registers,
  });
  const windows = new Counter({
    name: 'cdesk_window_changes_total',
    help: "Changes of Meta's 24-hour window",
    labelNames: ['state'],
    registers,
  });
  const refusals = new Counter({
    name: 'cdesk_refusals_total',
    help: 'Errors that ended an operation or a field, by code and by the limit that was reached',
    labelNames: ['code', 'limit'],
    registers,
  });

  return {
    registry,
    answered: (route, status, seconds) => requests.observe({ route, status }, seconds),
    stored(batch) {
      lag.observe(batch.oldestMs / 1000);
      batches.observe(batch.deliveries);
      items.inc(batch.items);
    },
    committed(logged) {
      for (const [type, { length }] of Map.groupBy(logged, (event) => event.type)) events.inc({ type }, length);
      for (const { type, data } of logged) {
        if (type === 'MESSAGE_STATUS_CHANGED') statuses.inc({ status: String(data.status) });
        if (type === 'WINDOW_CHANGED') windows.inc({ state: String(data.state) });
      }
    },
    refused: (code, limit) => refusals.inc({ code, limit: limit ?? 'none' }),
  };
}
