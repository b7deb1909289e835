const TEXT_FRAME = 0x81;

/** Of a text of this length, as the server sends it (RFC 6455, 5.2): whole and not masked. */
export function frameSize(length: number): number {
  return headerSize(length) + length;
}

/** Gives back where the text begins. */
export function writeHeader(buffer: Buffer, at: number, length: number): number {
  buffer[at] = TEXT_FRAME;
  if (length < 126) buffer[at + 1] = length;
  else if (length < 65_536) {
    buffer[at + 1] = 126;
    buffer.writeUInt16BE(length, at + 2);
  } else {
    buffer[at + 1] = 127;
    buffer.writeBigUInt64BE(BigInt(length), at + 2);
  }
  return at + headerSize(length);
}

function headerSize(length: number): number {
  if (length < 126) return 2;
  return length < 65_536 ? 4 : 10;
}
