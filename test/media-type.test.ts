import { expect, it } from 'vitest';
import { mediaType } from '../src/services/media-type.ts';

it.each([
  ['image/jpeg', 'image/jpeg', 'image/jpeg'],
  ['image/jpeg', 'image/png', 'image/png'],
  ['image/png', 'text/html', 'text/html'],
  ['image/png', null, 'application/octet-stream'],
  ['image/svg+xml', null, 'application/octet-stream'],
  ['text/plain', null, 'text/plain'],
  ['', null, 'application/octet-stream'],
  ['audio/ogg; codecs=opus', 'audio/ogg; codecs=opus', 'audio/ogg'],
  ['audio/mp4', 'video/mp4', 'audio/mp4'],
  [
    'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    'application/zip',
    'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  ],
  ['application/vnd.ms-excel', 'application/pdf', 'application/pdf'],
  ['image/jpeg', 'application/zip', 'application/zip'],
  ['application/pdf', 'application/x-msdownload', 'application/x-msdownload'],
])('what is announced as %s and looks like %s is %s', (announced, detected, type) => {
  expect(mediaType(announced, detected)).toBe(type);
});
