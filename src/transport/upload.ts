import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Readable } from 'node:stream';
import busboy from 'busboy';
import { z } from 'zod';
import { badInput } from '../errors.ts';
import type { OperationRequest } from '../execution/operation.ts';
import type { FileStore } from '../files/file-store.ts';
import type { SpooledFile } from '../files/spool.ts';
import { UploadedFile } from '../files/uploaded-file.ts';
import { MAX_BODY_BYTES, parseOperation } from './request.ts';

/** The largest file that any kind allows. */
const MAX_FILE_BYTES = 100 * 1_024 * 1_024;
/** A page of another site can send a form, but none of these without asking first. */
const CSRF_HEADERS = ['graphql-require-preflight', 'apollo-require-preflight', 'x-graphql-yoga-csrf'] as const;

export const CSRF_HEADER_LIST = CSRF_HEADERS.join(', ');

export type Upload = AsyncDisposable & { operation: OperationRequest };

export function isMultipart({ headers }: IncomingMessage): boolean {
  return /^multipart\/form-data\s*;/i.test(headers['content-type'] ?? '');
}

/**
 * One operation with one file, by the GraphQL multipart request convention: `operations`, `map`, then the file. The file
 * goes to the store as it comes and is never held in memory. Disposing removes what was not kept.
 */
export async function readUpload(request: IncomingMessage, files: Pick<FileStore, 'receive'>): Promise<Upload> {
  if (!CSRF_HEADERS.some((name) => request.headers[name]))
    throw badInput(`A multipart request needs one of the headers ${CSRF_HEADER_LIST}, with any value.`);
  const form = await readForm(request, files);
  const remove = async () => form.file?.[Symbol.asyncDispose]();
  try {
    return { operation: withFile(form), [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

type Form = {
  operations: string | null;
  map: string | null;
  part: { field: string; name: string | null } | null;
  file: SpooledFile | null;
  isTooLarge: boolean;
};

async function readForm(request: IncomingMessage, files: Pick<FileStore, 'receive'>): Promise<Form> {
  const form: Form = { operations: null, map: null, part: null, file: null, isTooLarge: false };
  let receiving: Promise<void> = Promise.resolve();
  let problem: string | null = null;
  const parser = createParser(request);
  parser.on('field', (name, value, { valueTruncated }) => {
    if (valueTruncated) problem = `The field ${name} is too large.`;
    if (name === 'operations' || name === 'map') form[name] = value;
  });
  parser.on('file', (field, content, { filename }) => {
    if (form.operations === null || form.map === null) problem = 'operations and map come before the file.';
    if (problem) return void content.resume();
    form.part = { field, name: filename || null };
    receiving = receive(form, content, files);
    // It is awaited below; until then a broken request must not count as unhandled.
    receiving.catch(() => {});
  });
  parser.on('filesLimit', () => (problem = 'Send one file per request.'));
  try {
    await pipeline(request, parser);
    await receiving;
  } catch {
    await form.file?.[Symbol.asyncDispose]();
    throw badInput('The body is not a complete multipart form.');
  }
  if (!problem) return form;
  await form.file?.[Symbol.asyncDispose]();
  throw badInput(problem);
}

function createParser(request: IncomingMessage): busboy.Busboy {
  try {
    return busboy({
      headers: request.headers,
      defParamCharset: 'utf8',
      limits: {
        files: 1,
        fields: 2,
        parts: 4,
        fieldSize: MAX_BODY_BYTES,
        fileSize: MAX_FILE_BYTES + 1,
        headerPairs: 50,
      },
    });
  } catch {
    throw badInput('The body is not a multipart form.');
  }
}

async function receive(
  form: Form,
  content: Readable & { truncated?: boolean },
  files: Pick<FileStore, 'receive'>,
): Promise<void> {
  const file = await files.receive(content, { maxBytes: MAX_FILE_BYTES + 1 });
  form.isTooLarge = file.size > MAX_FILE_BYTES;
  if (form.isTooLarge) await file[Symbol.asyncDispose]();
  else form.file = file;
}

const mapShape = z.record(z.string(), z.tuple([z.string()]));

/** Puts the file where the map says: into exactly one variable. */
function withFile({ operations, map, part, file }: Form): OperationRequest {
  if (operations === null || map === null) throw badInput('Send the fields operations and map, then the file.');
  const operation = parseOperation(Buffer.from(operations));
  const [path] = mapShape.safeParse(parse(map)).data?.[part?.field ?? ''] ?? [];
  if (!part || path === undefined) throw badInput('map must name the variable of the one file that is sent.');
  const keys = path.split('.');
  if (keys.shift() !== 'variables' || keys.length === 0) throw badInput('map must lead into variables.');
  return { ...operation, variables: placed(operation.variables ?? {}, keys, new UploadedFile(part.name, file)) };
}

function placed(holder: unknown, [key, ...rest]: string[], value: UploadedFile): Record<string, unknown> {
  if (key === undefined || typeof holder !== 'object' || holder === null || !Object.hasOwn(holder, key))
    throw badInput('map leads to a variable that is not there.');
  const held = (holder as Record<string, unknown>)[key];
  if (rest.length > 0) return { ...holder, [key]: placed(held, rest, value) };
  if (held !== null) throw badInput('The variable that the file takes must be null.');
  return { ...holder, [key]: value };
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}
