import { GraphQLClient } from 'graphql-request';
import { createClient, type Client } from 'graphql-ws';
import { subjectOf } from '../../src/demo-data.ts';
import { loadEnv } from '../../src/env.ts';
import { signIn } from '../../src/sign-in.ts';
import { sharedSettings } from './process.ts';

/** A log-in that every process with the shared settings takes. */
export function tokenFor(login: string, lifetimeSeconds?: number): Promise<string> {
  return signIn(
    loadEnv({ ...sharedSettings, DATA_DIR: '.cache' }),
    { subject: subjectOf(login), login },
    lifetimeSeconds,
  );
}

export function clientOf(url: string, token: string): GraphQLClient {
  return new GraphQLClient(`${url}/graphql`, { headers: { authorization: `Bearer ${token}` } });
}

export function socketOf(url: string, token: string): Client {
  return createClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: 0,
  });
}
