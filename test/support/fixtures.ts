import { readFileSync, readdirSync } from 'node:fs';

const root = new URL('../fixtures/', import.meta.url);

/** File names of a folder below test/fixtures. */
export function fixtureNames(folder: string): string[] {
  return readdirSync(new URL(`${folder}/`, root)).toSorted();
}

/** `path` below test/fixtures. */
export function fixture(path: string): unknown {
  return JSON.parse(readFileSync(new URL(encodeURI(path), root), 'utf8'));
}
