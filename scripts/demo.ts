import { loadEnv, type Env } from '../src/env.ts';
import { createLog } from '../src/log.ts';
import { startServer } from '../src/server.ts';
import { playConversation } from './demo/conversation.ts';
import { say } from './demo/screen.ts';

try {
  const env = loadEnv({ LOG_LEVEL: 'warn', ...process.env });
  if (env.nodeEnv === 'production')
    throw new Error('The demo writes into the database: it does not run in production.');
  const running = await findRunning(env);
  if (running) {
    say(`The server at ${running} is used.`);
    await playConversation(env, running);
  } else {
    say('No server is running: one is started for the demo.');
    await using server = await startServer({ env: { ...env, port: 0, shutdownGraceMs: 500 }, log: createLog(env) });
    server.sandbox?.setDelays({ readMs: 2_500 });
    await playConversation(env, server.url);
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function findRunning(env: Env): Promise<string | null> {
  const url = `http://${env.host}:${env.port}`;
  try {
    return (await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(1_000) })).ok ? url : null;
  } catch {
    return null;
  }
}
