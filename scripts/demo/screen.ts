const bold = (text: string) => `\u001b[1m${text}\u001b[0m`;
const dim = (text: string) => `\u001b[2m${text}\u001b[0m`;
const green = (text: string) => `\u001b[32m${text}\u001b[0m`;

export function say(text: string): void {
  console.log(`\n${bold(text)}`);
}

/** A GraphQL operation as it is sent. */
export function showOperation(query: string, variables: object = {}): void {
  const lines = query.trim().split('\n');
  const indent = Math.min(...lines.slice(1).map((line) => line.search(/\S|$/)), 8);
  console.log(lines.map((line, index) => dim(`    ${index === 0 ? line : line.slice(indent)}`)).join('\n'));
  if (Object.keys(variables).length > 0) console.log(dim(`    variables ${JSON.stringify(variables)}`));
}

export function showAnswer(answer: unknown): void {
  console.log(`  → ${JSON.stringify(answer)}`);
}

/** An event that a subscription delivered. */
export function showEvent(event: { __typename: string } & Record<string, unknown>): void {
  const { __typename, cursor: _, eventId: __, ...facts } = event;
  console.log(green(`  ● ${__typename} ${JSON.stringify(facts)}`));
}
