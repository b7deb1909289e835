import { createHmac } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { Agent, request } from 'undici';
import type { Posted, WebhookRetry } from './options.ts';

export type Poster = {
  /** Meta's handshake, which it makes when the route is entered in the app. */
  handshake(verifyToken: string): Promise<Handshake>;
  /** Resolves with the first answer; repeats go on in the background. */
  post(body: unknown): Promise<Posted>;
  /** No repeat is waiting any more. */
  settled(): Promise<void>;
  close(): Promise<void>;
};

export type Handshake = { httpStatus: number; isEchoed: boolean };

export type PosterOptions = {
  webhookUrl: string | (() => string);
  appSecret: string | (() => string);
  retry: WebhookRetry;
  log: Logger;
};

const timeoutMs = 30_000;

/** Delivers as Meta does: signed raw bytes, repeated with growing pauses until a 200. */
export function createPoster({ webhookUrl, appSecret, retry, log }: PosterOptions): Poster {
  const agent = new Agent({ connections: 128 });
  const closing = new AbortController();
  const repeats = new Set<Promise<void>>();

  const address = (): string => (typeof webhookUrl === 'string' ? webhookUrl : webhookUrl());

  const attempt = async (body: string): Promise<Posted> => {
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'facebookexternalua',
      'x-hub-signature-256': sign(body, typeof appSecret === 'string' ? appSecret : appSecret()),
    };
    try {
      const options = { method: 'POST', headers, body, dispatcher: agent, headersTimeout: timeoutMs } as const;
      const answer = await request(address(), { ...options, signal: closing.signal });
      await answer.body.dump();
      return { httpStatus: answer.statusCode };
    } catch (error) {
      if (!closing.signal.aborted) log.debug({ err: error }, 'sandbox: webhook not delivered');
      return { httpStatus: 0 };
    }
  };

  const repeat = async (body: string): Promise<void> => {
    for (let done = 0; done < retry.maxRetries && !closing.signal.aborted; done += 1) {
      await pause(retry.firstPauseMs * 2 ** done, undefined, { signal: closing.signal }).catch(() => undefined);
      if ((await attempt(body)).httpStatus === 200) return;
    }
  };

  return {
    async handshake(verifyToken) {
      const url = new URL(address());
      const challenge = String(Date.now());
      url.search = new URLSearchParams({
        'hub.mode': 'subscribe',
        'hub.challenge': challenge,
        'hub.verify_token': verifyToken,
      }).toString();
      const answer = await request(url, { dispatcher: agent, signal: closing.signal });
      const echoed = await answer.body.text();
      return { httpStatus: answer.statusCode, isEchoed: answer.statusCode === 200 && echoed === challenge };
    },
    async post(body) {
      const bytes = escapeAsMeta(JSON.stringify(body));
      const posted = await attempt(bytes);
      if (posted.httpStatus !== 200 && retry.maxRetries > 0) {
        const repeating = repeat(bytes).finally(() => repeats.delete(repeating));
        repeats.add(repeating);
      }
      return posted;
    },
    async settled() {
      while (repeats.size > 0) await Promise.all(repeats);
    },
    async close() {
      closing.abort();
      await Promise.all(repeats);
      await agent.destroy();
    },
  };
}

/** Meta signs the escaped form: a receiver that hashes its own JSON.stringify fails at the first accent, / or @. */
export function escapeAsMeta(json: string): string {
  return json.replaceAll(/[/@\u0080-\uffff]/g, (char) =>
    char === '/' ? String.raw`\/` : String.raw`\u` + char.charCodeAt(0).toString(16).padStart(4, '0'),
  );
}

export function sign(body: string, appSecret: string): string {
  return `sha256=${createHmac('sha256', appSecret).update(body).digest('hex')}`;
}
