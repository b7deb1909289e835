import { parseArgs } from 'node:util';
import { demoOperators, subjectOf } from '../src/demo-data.ts';
import { loadEnv } from '../src/env.ts';
import { signIn } from '../src/sign-in.ts';

const usage = `Usage: npm run token -- --operator <login> [--name <display name>] [--permissions READ_CONVERSATIONS,REPLY] [--hours 12]
Prints a log-in for the operator. Without --name and --permissions a known operator keeps theirs.`;

try {
  const { values } = parseArgs({
    options: {
      operator: { type: 'string' },
      subject: { type: 'string' },
      name: { type: 'string' },
      permissions: { type: 'string' },
      hours: { type: 'string', default: '12' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const hours = Number(values.hours);
  if (values.help || !values.operator || !(hours > 0)) throw new Error(usage);
  const operator = {
    subject: values.subject ?? subjectOf(values.operator),
    login: values.operator,
    ...(values.name && { displayName: values.name }),
    ...(values.permissions && { permissions: values.permissions.split(',') }),
  };
  const isDemo = demoOperators.some(({ login }) => login === values.operator);
  if (!isDemo && !values.subject && !values.permissions)
    console.error(
      `${values.operator} is none of the demo's operators: whoever is new has no rights without --permissions.`,
    );
  console.log(await signIn(loadEnv(), operator, hours * 3600));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
