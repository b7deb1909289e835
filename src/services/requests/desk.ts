import type { RequestConnector } from '../connector.ts';
import type { CodeScheme } from './codes.ts';

/** How this organisation keeps its requests. */
export type RequestDesk = { codes: CodeScheme; connector: RequestConnector };
