import type { Logger } from 'pino';
import { Agent, fetch as undiciFetch } from 'undici';
import type { Dispatcher, RequestInit, Response } from 'undici';
import { z } from 'zod';
import { networkFailure } from './network.ts';
import type { NewSpan, Tracing } from '../tracing/tracing.ts';
import { failedAnswer, repeatableFailure } from './outcome.ts';
import type { Answer, CallOutcome, Failed, Unknown } from './outcome.ts';
import { readUsage } from './usage.ts';

export type Fetch = typeof undiciFetch;

export type TransportOptions = {
  baseUrl: string;
  version: string;
  timeoutMs: number;
  fetch?: Fetch;
  tracing: Tracing;
  log: Logger;
};

export type Transport = {
  /** A JSON call; the outcome carries the body only when it satisfies `read`. */
  call<T>(request: GraphRequest, read: (body: unknown) => T | null): Promise<Called<T>>;
  close(): Promise<void>;
};

export type GraphRequest = {
  method: 'GET' | 'POST' | 'DELETE';
  /** Below the version, without a leading slash. */
  path: string;
  query?: Record<string, string>;
  accessToken: string;
  json?: unknown;
  /** Any other body, with its headers and a time-out of its own. */
  stream?: { body: AsyncIterable<Uint8Array>; headers: Record<string, string>; timeoutMs: number };
};

export type Called<T> = { kind: 'answered'; value: T; usage: Answer['usage'] } | Failed | Unknown;

/** `{"success": true}`, also as the word that some of Meta's pages show. */
export const succeeded = z.object({ success: z.union([z.literal(true), z.literal('true')]) });

/** For calls that may be repeated without harm. */
export function repeatable<T, R>(called: Called<T>, map: (value: T) => R): CallOutcome<R> {
  if (called.kind !== 'answered') return repeatableFailure(called);
  return { kind: 'ok', value: map(called.value), usage: called.usage };
}

/** Far above a page of 250 templates, and far below what could hurt. */
const maxAnswerBytes = 10_000_000;

export function createTransport(options: TransportOptions): Transport {
  const fetch = options.fetch ?? undiciFetch;
  const dispatcher = new Agent({
    // Shorter than the whole call, so that a dead address shows as "not connected" and not as an unknown outcome.
    connect: { timeout: Math.max(1, Math.floor(options.timeoutMs / 2)) },
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const base = `${options.baseUrl.replace(/\/+$/, '')}/${options.version}/`;

  return {
    close: () => dispatcher.close(),
    call: (request, read) =>
      options.tracing.span(spanOf(request), async (span) => {
        const startedMs = performance.now();
        const answer = await exchange(fetch, base, request, options.timeoutMs, dispatcher);
        const called = 'kind' in answer ? answer : judge(answer, request, read);
        span.setAttribute('cdesk.outcome', called.kind);
        // Neither the query nor the body: they hold texts, numbers and cursors.
        const { method, path } = request;
        const durationMs = Math.round(performance.now() - startedMs);
        options.log.debug({ method, path, outcome: called.kind, usage: called.usage, durationMs }, 'Graph API call');
        return called;
      }),
  };
}

function spanOf({ method, path }: GraphRequest): NewSpan {
  const attributes = { 'http.request.method': method, 'url.path': path };
  return { name: `Graph API ${method}`, kind: 'client', attributes };
}

function judge<T>(answer: Answer, request: GraphRequest, read: (body: unknown) => T | null): Called<T> {
  const value = answer.httpStatus < 300 && !hasError(answer.body) ? read(answer.body) : null;
  if (value === null) return failedAnswer(answer, [request.accessToken]);
  return { kind: 'answered', value, usage: answer.usage };
}

async function exchange(
  fetch: Fetch,
  base: string,
  request: GraphRequest,
  timeoutMs: number,
  dispatcher: Dispatcher,
): Promise<Answer | Failed | Unknown> {
  // An answer can come before an upload has been read to its end: what is left of it must not go on.
  const finished = new AbortController();
  const timeout = AbortSignal.timeout(request.stream?.timeoutMs ?? timeoutMs);
  const signal = AbortSignal.any([timeout, finished.signal]);
  try {
    const url = new URL(base + request.path);
    for (const [name, value] of Object.entries(request.query ?? {})) url.searchParams.set(name, value);
    return await readAnswer(await fetch(url, { ...init(request, signal), redirect: 'manual', dispatcher, signal }));
  } catch (error) {
    return networkFailure(error, [request.accessToken]);
  } finally {
    finished.abort();
  }
}

function init({ method, accessToken, json, stream }: GraphRequest, signal: AbortSignal): RequestInit {
  const authorization = `Bearer ${accessToken}`;
  if (stream) {
    const headers = { authorization, ...stream.headers };
    return { method, body: untilAborted(stream.body, signal), duplex: 'half', headers };
  }
  if (json === undefined) return { method, headers: { authorization } };
  return { method, body: JSON.stringify(json), headers: { authorization, 'content-type': 'application/json' } };
}

// fetch itself would read a cancelled body to its end and throw the bytes away.
async function* untilAborted(body: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    if (signal.aborted) return;
    yield chunk;
  }
}

async function readAnswer(response: Response): Promise<Answer> {
  const text = await readText(response);
  return {
    httpStatus: response.status,
    body: parseJson(text),
    retryAfterMs: retryAfterMs(response.headers.get('retry-after')),
    usage: readUsage(response.headers),
  };
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxAnswerBytes) return '';
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function hasError(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'error' in body;
}

function retryAfterMs(header: string | null): number | null {
  const seconds = Number(header ?? Number.NaN);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
