import type { GraphQLClient } from 'graphql-request';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { beginConversation, reached, rowOf, send } from './support/sends.ts';
import { eventually } from './support/events.ts';
import { startTestServer, type TestServer } from './support/server.ts';
import { files, zip } from './support/sample-files.ts';

let server: TestServer;
let boris: GraphQLClient;

beforeAll(async () => {
  server = await startTestServer();
  boris = await server.as('boris');
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => server.sandbox.clearFaults());

const UPLOAD = `mutation Upload($file: File!) { uploadAttachment(input: { file: $file }) {
  attachment { id fileName mimeType byteSize sha256 state url expiresAt }
  errors { __typename code message path ... on AttachmentRejectedError { maxBytes allowedMimeTypes } } } }`;

type Uploaded = {
  attachment: { id: string; fileName: string; mimeType: string; byteSize: number; state: string; url: string } | null;
  errors: { __typename: string; code: string; message: string; maxBytes: number | null }[];
};

async function post(form: FormData, headers: Record<string, string> = {}, login = 'boris'): Promise<Response> {
  const authorization = `Bearer ${await server.tokenOf(login)}`;
  return fetch(`${server.url}/graphql`, {
    method: 'POST',
    body: form,
    headers: { authorization, 'graphql-require-preflight': '1', ...headers },
  });
}

function formOf(content: Uint8Array, name: string, options: { query?: string; map?: object } = {}): FormData {
  const form = new FormData();
  form.set('operations', JSON.stringify({ query: options.query ?? UPLOAD, variables: { file: null } }));
  form.set('map', JSON.stringify(options.map ?? { 0: ['variables.file'] }));
  form.set('0', new Blob([new Uint8Array(content)], { type: 'image/png' }), name);
  return form;
}

async function upload(content: Uint8Array, name: string, login = 'boris'): Promise<Uploaded> {
  const answer = (await (await post(formOf(content, name), {}, login)).json()) as {
    data: { uploadAttachment: Uploaded };
    errors?: unknown;
  };
  expect(answer.errors).toBeUndefined();
  return answer.data.uploadAttachment;
}

describe('an upload', () => {
  it('is not there for another operator until it is sent', async () => {
    const { attachment } = await upload(files.pdf, 'smlouva.pdf');
    const id = attachment?.id ?? '';
    const find = async (login: 'alena' | 'boris') =>
      (await server.as(login)).request(`query ($id: ID!) { node(id: $id) { id } }`, { id });

    expect(await find('alena')).toEqual({ node: null });
    expect(await find('boris')).toEqual({ node: { id } });

    const { conversationId } = await beginConversation(server);
    await send(boris, 'replyToConversation', { conversationId, attachmentId: id });
    expect(await find('alena')).toEqual({ node: { id } });
  });

  it('is kept as it came, and is what its bytes say, whatever its name and announced type', async () => {
    const { attachment, errors } = await upload(files.pdf, '../../etc/Smlouva č. 1‮fdp.exe');

    expect(errors).toEqual([]);
    expect(attachment).toMatchObject({
      mimeType: 'application/pdf',
      byteSize: files.pdf.length,
      state: 'UPLOADED',
      fileName: 'Smlouva č. 1fdp.exe',
    });
    const back = await fetch(attachment?.url ?? '');
    expect(Buffer.from(await back.arrayBuffer()).equals(files.pdf)).toBe(true);
  });

  it.each([
    ['a picture', files.png, 'a.bin', 'image/png'],
    ['a photo', files.jpeg, 'a', 'image/jpeg'],
    ['a text', Buffer.from('Dobrý den\r\nřádek'), 'a.txt', 'text/plain'],
    ['a document', files.docx, 'a.docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
    ['a voice message', files.opus, 'a.ogg', 'audio/ogg'],
    ['a sticker', files.webp, 'a.webp', 'image/webp'],
  ])('takes %s', async (_what, content, name, mimeType) => {
    const { attachment, errors } = await upload(content, name);

    expect(errors).toEqual([]);
    expect(attachment?.mimeType).toBe(mimeType);
  });

  it.each([
    ['nothing', Buffer.alloc(0), 'a.png'],
    ['a program under a harmless name', files.exe, 'foto.jpg'],
    ['a page under a harmless name', Buffer.from('<!DOCTYPE html><script>alert(1)</script>'), 'a.txt'],
    ['a drawing with a script', Buffer.from('<svg onload="alert(1)"/>'), 'a.txt'],
    ['bytes that nobody knows', Buffer.from([1, 2, 3, 0, 255, 254]), 'a.txt'],
    ['an archive', zip([{ name: 'a.txt', content: Buffer.from('x') }]), 'a.zip'],
    [
      'a picture that is an archive, too',
      Buffer.concat([files.png, zip([{ name: 'a', content: Buffer.from('x') }])]),
      'a.png',
    ],
    [
      'a picture that is a document, too',
      Buffer.concat([files.jpeg.subarray(0, 20), Buffer.from('%PDF-1.7'), files.jpeg]),
      'a.jpg',
    ],
    [
      'a picture that is a page, too',
      Buffer.concat([files.jpeg.subarray(0, 20), Buffer.from('<script>x()</script>'), files.jpeg]),
      'a.jpg',
    ],
    ['a document that unpacks to far more than it holds', files.bomb, 'a.docx'],
    ['a document that claims to be small and is not', files.liar, 'a.docx'],
  ])('refuses %s, and keeps nothing', async (_what, content, name) => {
    const before = await server.sql('SELECT count(*) FROM attachment');

    const { attachment, errors } = await upload(content, name);

    expect(attachment).toBeNull();
    expect(errors).toMatchObject([{ __typename: 'AttachmentRejectedError', code: 'ATTACHMENT_REJECTED' }]);
    expect(await server.sql('SELECT count(*) FROM attachment')).toEqual(before);
  });

  it.each([
    ['a picture over 5 MB', Buffer.concat([files.png, Buffer.alloc(5 * 1024 * 1024)]), 5 * 1024 * 1024],
    ['sound over 16 MB', Buffer.concat([files.opus, Buffer.alloc(16 * 1024 * 1024)]), 16 * 1024 * 1024],
    ['a still sticker over 100 KB', Buffer.concat([files.webp, Buffer.alloc(100 * 1024)]), 100 * 1024],
    ['anything over 100 MB', Buffer.alloc(100 * 1024 * 1024 + 1, 'a'), 100 * 1024 * 1024],
  ])('refuses %s with the limit of its kind', async (_what, content, maxBytes) => {
    const { errors } = await upload(content, 'a');

    expect(errors).toMatchObject([{ code: 'ATTACHMENT_REJECTED', maxBytes }]);
  });

  it.each([
    ['without the header that a form cannot send', {}, (form: FormData) => form, { 'graphql-require-preflight': '' }],
    ['whose map leads elsewhere', { map: { 0: ['variables.other'] } }, (form: FormData) => form, {}],
    ['whose map leads to a prototype', { map: { 0: ['variables.__proto__'] } }, (form: FormData) => form, {}],
    ['whose map names no file', { map: {} }, (form: FormData) => form, {}],
  ])('%s is refused as a whole', async (_what, options, change, headers) => {
    const answer = await post(change(formOf(files.png, 'a.png', options)), headers);

    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
  });

  it('takes one file, after its map', async () => {
    const two = formOf(files.png, 'a.png');
    two.set('1', new Blob([new Uint8Array(files.png)]), 'b.png');
    const early = new FormData();
    early.set('0', new Blob([new Uint8Array(files.png)]), 'a.png');
    for (const [key, value] of formOf(files.png, 'a.png')) if (key !== '0') early.set(key, value);

    expect([(await post(two)).status, (await post(early)).status]).toEqual([400, 400]);
  });

  it('is not for those who may only read, and needs a log-in before a byte is taken', async () => {
    const { errors } = await upload(files.png, 'a.png', 'cyril');
    const stranger = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      body: formOf(files.png, 'a.png'),
      headers: { 'graphql-require-preflight': '1' },
    });

    expect(errors).toMatchObject([{ __typename: 'ForbiddenError' }]);
    expect(stranger.status).toBe(401);
  });

  it('goes over HTTP only: a variable that is no file is refused', async () => {
    await expect(boris.request(UPLOAD, { file: 'x' })).rejects.toThrow(/multipart/);
  });
});

describe('a reply with a file', () => {
  const fileOf = async (content: Uint8Array, name: string, login = 'boris') =>
    (await upload(content, name, login)).attachment?.id ?? '';

  it('brings the file to Meta under its type, and its text as the caption', async () => {
    const begun = await beginConversation(server);
    const attachmentId = await fileOf(files.png, 'plánek.png');

    const { message, errors } = await send(boris, 'replyToConversation', {
      conversationId: begun.conversationId,
      attachmentId,
      text: 'Tady to je 📎',
    });
    await reached(boris, message?.id ?? '', 'READ');

    expect(errors).toEqual([]);
    expect(message).toMatchObject({
      kind: 'IMAGE',
      content: { caption: 'Tady to je 📎', attachment: { mimeType: 'image/png', fileName: 'plánek.png' } },
    });
    const [entry] = server.sandbox.ledger({ to: begun.from });
    expect(entry?.payload).toMatchObject({
      type: 'image',
      image: { id: expect.any(String), caption: 'Tady to je 📎' },
    });
  });

  it('sends a document with its name, and a voice message as one', async () => {
    const begun = await beginConversation(server);
    const { conversationId } = begun;

    await send(boris, 'replyToConversation', { conversationId, attachmentId: await fileOf(files.pdf, 'Faktura.pdf') });
    const voice = await send(boris, 'replyToConversation', {
      conversationId,
      attachmentId: await fileOf(files.opus, 'a.ogg'),
    });
    await reached(boris, voice.message?.id ?? '', 'READ');

    expect(server.sandbox.ledger({ to: begun.from }).map(({ payload }) => payload)).toMatchObject([
      { type: 'document', document: { filename: 'Faktura.pdf' } },
      { type: 'audio', audio: { voice: true } },
    ]);
  });

  it('uploads the same bytes once while Meta keeps them', async () => {
    const begun = await beginConversation(server);
    const content = Buffer.concat([files.pdf, Buffer.from('\n% same\n')]);
    const ids: unknown[] = [];

    for (let times = 0; times < 2; times++) {
      const input = { conversationId: begun.conversationId, attachmentId: await fileOf(content, 'a.pdf') };
      const { message } = await send(boris, 'replyToConversation', input);
      await reached(boris, message?.id ?? '', 'SENT', 'DELIVERED', 'READ');
      const document = server.sandbox.ledger({ to: begun.from }).at(-1)?.payload.document as { id: string } | undefined;
      ids.push(document?.id);
    }

    expect(ids).toEqual([expect.any(String), ids[0]]);
  });

  it('that takes long to upload holds up its own conversation only', async () => {
    const [slow, quick] = [await beginConversation(server), await beginConversation(server)];
    server.sandbox.fail({ kind: 'slow', ms: 2_000, on: 'media', next: 1 });
    const attachmentId = await fileOf(Buffer.concat([files.pdf, Buffer.from('\n% slow\n')]), 'a.pdf');

    const first = await send(boris, 'replyToConversation', { conversationId: slow.conversationId, attachmentId });
    await send(boris, 'replyToConversation', { conversationId: slow.conversationId, text: 'po souboru' });
    const other = await send(boris, 'replyToConversation', { conversationId: quick.conversationId, text: 'hned' });
    await reached(boris, other.message?.id ?? '', 'SENT', 'DELIVERED', 'READ');
    const meanwhile = server.sandbox.ledger({ to: slow.from }).length;
    await reached(boris, first.message?.id ?? '', 'SENT', 'DELIVERED', 'READ');

    expect(meanwhile).toBe(0);
    await eventually(async () => server.sandbox.ledger({ to: slow.from }).length === 2, 10_000);
    expect(server.sandbox.ledger({ to: slow.from }).map(({ payload }) => payload.type)).toEqual(['document', 'text']);
  });

  it('is brought again after a temporary failure, and fails with the reason after a permanent one', async () => {
    const begun = await beginConversation(server);
    const { conversationId } = begun;
    server.sandbox.fail({ kind: 'error', code: 131000, on: 'media', next: 1 });
    const again = await send(boris, 'replyToConversation', {
      conversationId,
      attachmentId: await fileOf(Buffer.concat([files.pdf, Buffer.from('\n% again\n')]), 'a.pdf'),
    });
    await reached(boris, again.message?.id ?? '', 'SENT', 'DELIVERED', 'READ');
    server.sandbox.fail({ kind: 'error', code: 131053, on: 'media', next: 1 });
    const never = await send(boris, 'replyToConversation', {
      conversationId,
      attachmentId: await fileOf(Buffer.concat([files.pdf, Buffer.from('\n% never\n')]), 'a.pdf'),
    });

    expect(await reached(boris, never.message?.id ?? '', 'FAILED')).toMatchObject({ failure: { code: 131053 } });
  });

  it('refuses what nobody may send: a stranger’s file, one sent before, text beside sound, a caption too long', async () => {
    const { conversationId } = await beginConversation(server);
    const reply = (input: object) => send(boris, 'replyToConversation', { conversationId, ...input });
    const foreign = await fileOf(files.png, 'a.png', 'alena');
    const used = await fileOf(files.png, 'a.png');
    await reply({ attachmentId: used });
    const before = await server.sql('SELECT count(*) FROM message WHERE conversation_id = $1', [rowOf(conversationId)]);

    const refused = [
      await reply({ attachmentId: foreign }),
      await reply({ attachmentId: used }),
      await reply({ attachmentId: await fileOf(files.opus, 'a.ogg'), text: 'popis' }),
      await reply({ attachmentId: await fileOf(files.png, 'a.png'), text: 'x'.repeat(1_025) }),
      await reply({ attachmentId: conversationId }),
    ];

    expect(refused.map(({ errors }) => errors[0]?.code)).toEqual([
      'ATTACHMENT_REJECTED',
      'ATTACHMENT_REJECTED',
      'ATTACHMENT_REJECTED',
      'ATTACHMENT_REJECTED',
      'NOT_FOUND',
    ]);
    expect(
      await server.sql('SELECT count(*) FROM message WHERE conversation_id = $1', [rowOf(conversationId)]),
    ).toEqual(before);
  });
});
