import type { Viewer } from './auth.ts';
import type { Database } from './db/database.ts';
import type { Env } from './env.ts';
import type { Hub } from './events/hub.ts';
import type { FileStore } from './files/file-store.ts';
import type { FileLinks } from './files/links.ts';
import type { Log } from './log.ts';
import type { ConversationPresence } from './presence/conversation-presence.ts';
import type { Loaders, SharedLoaders } from './schema/loaders.ts';
import type { RecordRefusal } from './services/audit.ts';
import type { Rules } from './services/changes.ts';
import type { CheckConnection } from './services/connection.ts';
import type { RequestConnector } from './services/connector.ts';
import type { ChatModule, ReadModule } from './services/module.ts';
import type { SyncTemplates } from './services/templates/mirror.ts';

/** What a resolver may use. Made anew for every operation and for every event of a subscription. */
export type Context = {
  viewer: Viewer | null;
  requestId: string;
  /** The socket that it came over; null over HTTP and inside streams. */
  connectionId: string | null;
  presence: ConversationPresence;
  db: Database;
  env: Env;
  log: Log;
  hub: Hub;
  files: FileStore;
  fileLinks: FileLinks;
  loaders: Loaders;
  readModule: ReadModule;
  checkConnection: CheckConnection;
  /** Where Meta posts to. */
  webhookUrl: () => string;
  recordRefusal: RecordRefusal;
  /** The readings of the rules that this deployment chose. */
  rulesOf: (module: ChatModule) => Rules;
  syncTemplates: SyncTemplates;
  /** Who else keeps requests. */
  connector: RequestConnector;
};

/** For streams: what viewers may share they load once. */
export type CreateContext = (viewer: Viewer, requestId: string, shared?: SharedLoaders) => Context;
