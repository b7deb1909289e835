import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { EnvError } from '../env.ts';
import { badInput, Refusal } from '../errors.ts';

/** Documents that were listed when a client was built, by their hash. */
export type TrustedDocuments = {
  /** The text that a request means; throws where it is not on the list and must be. */
  resolve(request: { query?: string | null; documentId?: string | null }): string;
};

const manifest = z.record(z.string(), z.string());
const PREFIX = 'sha256:';

/** `path` is what codegen writes with `persistedDocuments`: an object of hash and text. */
export function readTrustedDocuments(path: string | undefined, only: boolean): TrustedDocuments {
  const byHash = path === undefined ? new Map<string, string>() : readManifest(path);
  const known = new Set([...byHash.values()].map(hashOf));

  return {
    resolve({ query, documentId }) {
      if (documentId) {
        const text = byHash.get(withoutPrefix(documentId));
        if (text === undefined) throw untrusted('There is no document with this id.');
        return text;
      }
      if (!query) throw badInput('Send query, or the documentId of a trusted document.', 'query');
      if (only && !known.has(hashOf(query))) throw untrusted('Only trusted documents are run here.');
      return query;
    },
  };
}

function readManifest(path: string): Map<string, string> {
  try {
    const entries = Object.entries(manifest.parse(JSON.parse(readFileSync(path, 'utf8'))));
    return new Map(entries.map(([hash, text]) => [withoutPrefix(hash), text]));
  } catch {
    throw new EnvError([`TRUSTED_DOCUMENTS must name a JSON file of hashes and documents; ${path} is none`]);
  }
}

function untrusted(message: string): Refusal {
  return new Refusal('FORBIDDEN', message, { limit: 'trusted-documents' });
}

function withoutPrefix(hash: string): string {
  return hash.startsWith(PREFIX) ? hash.slice(PREFIX.length) : hash;
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
