import { expect, it } from 'vitest';
import { createLog } from '../src/log.ts';

it.each([
  'authorization',
  'Cookie',
  'x-hub-signature-256',
  'accessToken',
  'access_token',
  'appSecret',
  'password',
  'phoneNumber',
  'display_phone_number',
  'wa_id',
  'text',
  'body',
  'connectionParams',
])('never writes the value of %s, however deep it sits', (key) => {
  const line = write({ [key]: 'secret-1', request: { headers: [{ [key]: { inner: 'secret-2' } }] } });

  expect(line).not.toContain('secret-');
  expect(line).toContain('[redacted]');
});

it('keeps of an error what explains it, and not what it quotes', () => {
  const cause = Object.assign(new Error('duplicate key'), { code: '23505', detail: 'Key (phone)=(+420777123456)' });

  const line = write({ err: new Error('Cannot store', { cause }) });

  expect(JSON.parse(line)).toMatchObject({ err: { message: 'Cannot store', cause: { code: '23505' } } });
  expect(line).not.toContain('+420777123456');
});

it('survives an object that contains itself', () => {
  const loop: Record<string, unknown> = { name: 'loop' };
  loop.self = loop;

  expect(write({ loop })).toContain('[too deep]');
});

function write(object: Record<string, unknown>): string {
  const lines: string[] = [];
  createLog({ logLevel: 'info', logFormat: 'json' }, { write: (line) => lines.push(line) }).info(object, 'message');
  return lines.join('');
}
