import type { TestServer } from './server.ts';

const UPLOAD = `mutation Upload($file: File!) { uploadAttachment(input: { file: $file }) { attachment { id } errors { message } } }`;

/** Uploads a file as the named operator; gives its id. */
export async function uploadFile(
  server: TestServer,
  content: Uint8Array,
  name: string,
  login = 'boris',
): Promise<string> {
  const form = new FormData();
  form.set('operations', JSON.stringify({ query: UPLOAD, variables: { file: null } }));
  form.set('map', JSON.stringify({ 0: ['variables.file'] }));
  form.set('0', new Blob([new Uint8Array(content)]), name);
  const authorization = `Bearer ${await server.tokenOf(login)}`;
  const headers = { authorization, 'graphql-require-preflight': '1' };
  const answer = await fetch(`${server.url}/graphql`, { method: 'POST', body: form, headers });
  const { data } = (await answer.json()) as { data: { uploadAttachment: { attachment: { id: string } | null } } };
  if (!data.uploadAttachment.attachment) throw new Error('the upload was refused');
  return data.uploadAttachment.attachment.id;
}
