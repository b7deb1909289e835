import { Gauge, type Registry } from 'prom-client';
import type { Database } from '../db/database.ts';
import { readQueues } from '../db/statements/queues.ts';
import type { Log } from '../log.ts';

export type Observed = {
  db: Database;
  log: Log;
  /** The last event that this process handed out. */
  hubSequence: () => number;
  sockets: () => number;
  streams: () => number;
  eventSources: () => number;
};

/** What is looked at when Prometheus asks. */
export function addGauges(registry: Registry, observed: Observed): void {
  const { pool } = observed.db;
  gauge(registry, 'cdesk_sockets', 'Open WebSockets of this process', observed.sockets);
  gauge(registry, 'cdesk_event_sources', 'Open Server-Sent Event streams of this process', observed.eventSources);
  gauge(registry, 'cdesk_subscriptions', 'Open subscriptions of this process', observed.streams);
  gauge(registry, 'cdesk_stream_position', 'Last event handed out by this process', observed.hubSequence);
  gauge(registry, 'cdesk_pool_connections', 'Connections to PostgreSQL', () => pool.totalCount);
  gauge(registry, 'cdesk_pool_idle', 'Connections that nobody uses', () => pool.idleCount);
  gauge(registry, 'cdesk_pool_waiting', 'Who waits for a connection', () => pool.waitingCount);
  addQueueGauges(registry, observed);
}

/** Seen by every process alike: aggregate with max, not with sum. */
function addQueueGauges(registry: Registry, { db, log, hubSequence }: Observed): void {
  const make = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const messages = make('cdesk_send_queue_messages', 'Messages that wait for their sending, by state', ['state']);
  const oldest = make('cdesk_send_queue_oldest_seconds', 'Age of the oldest message that waits for its turn');
  const deliveries = make('cdesk_deliveries_failed', 'Deliveries that are kept because something in them failed');
  const problems = make('cdesk_channel_problems', 'Open problems of the channel');
  const jobs = make('cdesk_jobs', 'Background jobs that are due or failed', ['state']);
  const head = make('cdesk_stream_head', 'Last event in the database');
  const lag = make('cdesk_stream_lag_events', 'Events in the database that this process has not handed out yet');
  const reachable = make('cdesk_database_up', '1 where the database answered');
  // One gauge collects for all of them, in one round trip.
  Object.assign(reachable, {
    async collect() {
      try {
        const queues = await readQueues(db.pool);
        for (const state of ['QUEUED', 'SENDING', 'UNKNOWN'] as const) messages.set({ state }, queues[state]);
        oldest.set(queues.oldestSeconds);
        deliveries.set(queues.failedDeliveries);
        problems.set(queues.channelProblems);
        jobs.set({ state: 'due' }, queues.dueJobs);
        jobs.set({ state: 'failed' }, queues.failedJobs);
        head.set(queues.head);
        lag.set(Math.max(0, queues.head - hubSequence()));
        reachable.set(1);
      } catch (error) {
        log.debug({ err: error }, 'the queues could not be read');
        reachable.set(0);
      }
    },
  });
}

function gauge(registry: Registry, name: string, help: string, read: () => number): void {
  const made: Gauge = new Gauge({ name, help, registers: [], collect: () => made.set(read()) });
  registry.registerMetric(made);
}
