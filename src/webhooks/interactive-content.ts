import type { DescribedContent } from '../db/content.ts';
import { asObject, asText, clean, firstText, type Json } from './lenient.ts';

type DescribeReply = (answer: Json) => DescribedContent;

const replies = new Map<string, DescribeReply>([
  ['button_reply', chosen],
  ['list_reply', chosen],
  ['nfm_reply', filledForm],
  ['call_permission_reply', callPermission],
]);

/** An answer to what we offered: null where it is of a kind that we do not know. */
export function describeInteractive(body: Json): DescribedContent | null {
  const type = asText(body.type) ?? Object.keys(body).find((key) => replies.has(key)) ?? '';
  const answer = asObject(body[type]);
  return answer ? (replies.get(type)?.(answer) ?? null) : null;
}

export function reply(replyId: string | null, title: string | null, description: string | null): DescribedContent {
  const content = { type: 'interactive' as const, replyId: replyId ?? '', title: title ?? replyId ?? '', description };
  return { kind: 'INTERACTIVE_REPLY', content, media: null };
}

function chosen(answer: Json): DescribedContent {
  return reply(asText(answer.id), asText(answer.title), asText(answer.description));
}

function filledForm(answer: Json): DescribedContent {
  return reply(asText(answer.name) ?? 'flow', firstText(answer.body, answer.name), formLines(answer.response_json));
}

function callPermission(answer: Json): DescribedContent {
  return reply('call_permission_reply', `Call permission: ${asText(answer.response) ?? 'answered'}`, null);
}

/** A form comes as JSON in a text; its token is of no use to people. What is no JSON is shown as it came. */
function formLines(json: unknown): string | null {
  const text = asText(json);
  try {
    const fields = asObject(text === null ? json : JSON.parse(text));
    // What the text had escaped comes to light only now.
    return fields ? clean(linesOf(fields)) || null : text;
  } catch {
    return text;
  }
}

function linesOf(fields: Json): string {
  const shown = Object.entries(fields).filter(([key]) => key !== 'flow_token');
  return shown.map(([key, value]) => `${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`).join('\n');
}
