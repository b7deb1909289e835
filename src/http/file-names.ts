/** Shown in the browser as they are. Everything else is saved: SVG, HTML, PDF and office files can carry programs. */
const SHOWN = /^(image\/(jpeg|png|gif|webp)|audio\/(aac|amr|mpeg|mp4|ogg|wav|webm)|video\/(mp4|3gpp|webm|ogg))$/;

/** Never announced by their own type, so that nothing takes them for a page or a program of this site. */
const ACTIVE = /html|xml|svg|script|flash|java|wasm|multipart|message\//;

const TYPE = /^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*$/;

export function shownType(mimeType: string): { contentType: string; isInline: boolean } {
  const type = (mimeType.split(';')[0] ?? '').trim().toLowerCase();
  if (SHOWN.test(type)) return { contentType: type, isInline: true };
  return { contentType: TYPE.test(type) && !ACTIVE.test(type) ? type : 'application/octet-stream', isInline: false };
}

const MAX_NAME = 200;

const extensions: Record<string, string> = {
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/webp': 'webp',
  'audio/ogg': 'ogg',
  'audio/mpeg': 'mp3',
  'audio/mp4': 'm4a',
  'audio/aac': 'aac',
  'audio/amr': 'amr',
  'video/mp4': 'mp4',
  'video/3gpp': '3gp',
  'application/pdf': 'pdf',
  'text/plain': 'txt',
};

/** The sender's name without folders, control characters and marks that turn the direction of writing. */
export function safeFileName(fileName: string | null, mimeType: string): string {
  const name = (fileName ?? '')
    .replace(/^.*[/\\]/, '')
    .replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '')
    .replace(/^\.+/, '')
    .trim();
  if (name) return Array.from(name).slice(-MAX_NAME).join('');
  const type = (mimeType.split(';')[0] ?? '').trim().toLowerCase();
  return `attachment.${extensions[type] ?? 'bin'}`;
}
