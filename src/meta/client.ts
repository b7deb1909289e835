import type { Logger } from 'pino';
import { getBusinessAccount, getPhoneNumber, subscribeApp, subscribedApps } from './account.ts';
import type { AppSubscription, BusinessAccount, PhoneNumber } from './account.ts';
import { createDownloader } from './download.ts';
import type { Download, DownloadOptions } from './download.ts';
import { getMedia, uploadMedia } from './media.ts';
import type { MediaInfo, Upload } from './media.ts';
import type { CallOutcome } from './outcome.ts';
import type { MessagePayload } from './payloads.ts';
import { markRead, sendMessage } from './send.ts';
import type { SendOutcome } from './send.ts';
import { listTemplates } from './templates.ts';
import type { TemplateListing, TemplateQuery } from './templates.ts';
import type { Tracing } from '../tracing/tracing.ts';
import { createTransport } from './transport.ts';
import type { Fetch } from './transport.ts';

export type MetaClientOptions = {
  /** https://graph.facebook.com, or where the sandbox listens. */
  baseUrl: string;
  version: string;
  timeoutMs: number;
  fetch?: Fetch;
  tracing: Tracing;
  log: Logger;
};

/** Meta's Graph API. Expected failures are outcomes, not exceptions; none of them holds a secret. */
export type MetaClient = {
  sendMessage(phoneNumberId: string, accessToken: string, payload: MessagePayload): Promise<SendOutcome>;
  /** Blue ticks up to this incoming message, for it and all before it; `typing` shows for up to 25 seconds. */
  markRead(
    phoneNumberId: string,
    accessToken: string,
    messageId: string,
    options?: { typing?: boolean },
  ): Promise<CallOutcome<null>>;
  uploadMedia(phoneNumberId: string, accessToken: string, upload: Upload): Promise<CallOutcome<{ mediaId: string }>>;
  getMedia(mediaId: string, accessToken: string): Promise<CallOutcome<MediaInfo>>;
  downloadMedia(url: string, accessToken: string, options: DownloadOptions): Promise<CallOutcome<Download>>;
  /** Pages until one is `last` or `failed`; only after a `last` one may missing templates be called deleted. */
  listTemplates(businessAccountId: string, accessToken: string, query?: TemplateQuery): AsyncGenerator<TemplateListing>;
  getPhoneNumber(phoneNumberId: string, accessToken: string): Promise<CallOutcome<PhoneNumber>>;
  getBusinessAccount(businessAccountId: string, accessToken: string): Promise<CallOutcome<BusinessAccount>>;
  subscribedApps(businessAccountId: string, accessToken: string): Promise<CallOutcome<AppSubscription[]>>;
  subscribeApp(businessAccountId: string, accessToken: string): Promise<CallOutcome<null>>;
} & AsyncDisposable;

export function createMetaClient(options: MetaClientOptions): MetaClient {
  const transport = createTransport(options);
  const downloader = createDownloader(options);

  return {
    sendMessage: (...args) => sendMessage(transport, ...args),
    markRead: (...args) => markRead(transport, ...args),
    uploadMedia: (...args) => uploadMedia(transport, ...args),
    getMedia: (...args) => getMedia(transport, ...args),
    downloadMedia: (...args) => downloader.download(...args),
    listTemplates: (...args) => listTemplates(transport, ...args),
    getPhoneNumber: (...args) => getPhoneNumber(transport, ...args),
    getBusinessAccount: (...args) => getBusinessAccount(transport, ...args),
    subscribedApps: (...args) => subscribedApps(transport, ...args),
    subscribeApp: (...args) => subscribeApp(transport, ...args),
    async [Symbol.asyncDispose]() {
      await Promise.all([transport.close(), downloader.close()]);
    },
  };
}
