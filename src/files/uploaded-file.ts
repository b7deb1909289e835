import type { SpooledFile } from './spool.ts';

/** A file that came with a request, received whole; the request's end removes what was not kept. */
export class UploadedFile {
  /** As the sender named it: a name to show, never a path. */
  readonly name: string | null;
  /** Null where it was larger than any file may be. */
  readonly file: SpooledFile | null;

  constructor(name: string | null, file: SpooledFile | null) {
    this.name = name;
    this.file = file;
  }
}
