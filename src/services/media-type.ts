/** Types whose bytes look the same: the announced one says more than the bytes. */
const ALIKE: readonly RegExp[] = [
  /^(audio|video)\/(mp4|x-m4a|m4a|quicktime)$/,
  /^(audio|video)\/(3gpp|3gpp2)$/,
  /^(audio|video|application)\/ogg$/,
  /^(audio|video)\/(webm|matroska|x-matroska)$/,
  /^application\/(?!pdf$).+$/,
];

const SHOWS_ITSELF = /^(image|audio|video)\//;
const UNKNOWN = 'application/octet-stream';

/**
 * The type that a file is given here. The bytes decide; the announced type counts only where they say nothing, and
 * never makes a picture, sound or film of what shows itself to be none.
 */
export function mediaType(announced: string, detected: string | null): string {
  const told = bare(announced);
  if (detected === null) return SHOWS_ITSELF.test(told) || told === '' ? UNKNOWN : told;
  const seen = bare(detected);
  return ALIKE.some((family) => family.test(told) && family.test(seen)) ? told : seen;
}

/** Without parameters: `audio/ogg; codecs=opus` is an audio/ogg. */
function bare(type: string): string {
  return (type.split(';')[0] ?? '').trim().toLowerCase();
}
