const EOCD = 0x06054b50;
const EOCD_BYTES = 22;
const ENTRY = 0x02014b50;
const ENTRY_BYTES = 46;
const MAX_COMMENT_BYTES = 65_535;

/** As much of the end as can hold the end record of a ZIP archive. */
export const TAIL_BYTES = EOCD_BYTES + MAX_COMMENT_BYTES;

export type ZipEnd = { entries: number; directoryBytes: number; directoryAt: number; at: number };

/** Where a ZIP archive says that its directory is; null for what does not end as one. `tail` ends with the file. */
export function findZipEnd(tail: Buffer, fileSize: number): ZipEnd | null {
  for (let at = tail.length - EOCD_BYTES; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== EOCD || at + EOCD_BYTES + tail.readUInt16LE(at + 20) !== tail.length) continue;
    return {
      entries: tail.readUInt16LE(at + 10),
      directoryBytes: tail.readUInt32LE(at + 12),
      directoryAt: tail.readUInt32LE(at + 16),
      at: fileSize - tail.length + at,
    };
  }
  return null;
}

/** Sizes as the directory tells them; null where it does not read to its end. */
export function sumEntries(directory: Buffer, entries: number): { packed: number; unpacked: number } | null {
  let at = 0;
  let packed = 0;
  let unpacked = 0;
  for (let entry = 0; entry < entries; entry++) {
    if (at + ENTRY_BYTES > directory.length || directory.readUInt32LE(at) !== ENTRY) return null;
    packed += directory.readUInt32LE(at + 20);
    unpacked += directory.readUInt32LE(at + 24);
    at +=
      ENTRY_BYTES + directory.readUInt16LE(at + 28) + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return { packed, unpacked };
}
