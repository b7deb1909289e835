import { createHmac, timingSafeEqual } from 'node:crypto';

export const FILES_PATH = '/files/';

/** What a link may lead to: a folder of the path, each with its own source of files. */
export type LinkedKind = 'attachments' | 'exports';

export type LinkedFile = { kind: LinkedKind; id: string; expiresAt: Date };

/** Short-lived links that need no log-in: whoever holds one may fetch that one file. Any process can check them. */
export type FileLinks = {
  sign(kind: LinkedKind, id: string, expiresInSeconds: number): { url: string; expiresAt: Date };
  /** Null where the link was not made by us, was changed, or has run out. */
  verify(requestUrl: string): LinkedFile | null;
};

const PATH = /^\/files\/(attachments|exports)\/([0-9a-f-]{36})$/;

/** The first key signs, all of them are accepted. */
export function createFileLinks(options: { publicUrl: () => string; keys: readonly Buffer[] }): FileLinks {
  const [key] = options.keys;
  if (!key) throw new Error('links cannot be signed without a key');
  return {
    sign(kind, id, expiresInSeconds) {
      const expires = Math.floor(Date.now() / 1000) + expiresInSeconds;
      const signature = signatureOf(key, kind, id, expires).toString('base64url');
      const url = `${options.publicUrl()}${FILES_PATH}${kind}/${id}?expires=${expires}&signature=${signature}`;
      return { url, expiresAt: new Date(expires * 1000) };
    },
    verify(requestUrl) {
      const url = new URL(requestUrl, 'http://localhost');
      const [, kind, id] = PATH.exec(url.pathname) ?? [];
      const expires = Number(url.searchParams.get('expires'));
      const told = Buffer.from(url.searchParams.get('signature') ?? '', 'base64url');
      if (!isKind(kind) || !id || !(expires * 1000 > Date.now())) return null;
      const isOurs = options.keys.some((known) => isEqual(signatureOf(known, kind, id, expires), told));
      return isOurs ? { kind, id, expiresAt: new Date(expires * 1000) } : null;
    },
  };
}

function isKind(kind: string | undefined): kind is LinkedKind {
  return kind === 'attachments' || kind === 'exports';
}

function signatureOf(key: Buffer, kind: LinkedKind, id: string, expires: number): Buffer {
  return createHmac('sha256', key).update(`file:${kind}:${id}:${expires}`).digest();
}

function isEqual(expected: Buffer, told: Buffer): boolean {
  return expected.length === told.length && timingSafeEqual(expected, told);
}
