import { styleText } from 'node:util';

/** Plain where the output is not a terminal, or NO_COLOR is set. */
const styled = (style: 'bold' | 'dim' | 'green', text: string) => styleText(style, text, { stream: process.stdout });

export function say(text: string): void {
  console.log(`\n${styled('bold', text)}`);
}

/** A GraphQL operation as it is sent. */
export function showOperation(query: string, variables: object = {}): void {
  const lines = query.trim().split('\n');
  const indent = Math.min(...lines.slice(1).map((line) => line.search(/\S|$/)), 8);
  console.log(lines.map((line, index) => styled('dim', `    ${index === 0 ? line : line.slice(indent)}`)).join('\n'));
  if (Object.keys(variables).length > 0) console.log(styled('dim', `    variables ${JSON.stringify(variables)}`));
}

export function showAnswer(answer: unknown): void {
  console.log(`  → ${JSON.stringify(answer)}`);
}

/** An event that a subscription delivered. */
export function showEvent(event: { __typename: string } & Record<string, unknown>): void {
  const { __typename, cursor: _, eventId: __, ...facts } = event;
  console.log(styled('green', `  ● ${__typename} ${JSON.stringify(facts)}`));
}
