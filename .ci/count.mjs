import { existsSync, readFileSync } from 'node:fs';

// Prints the closing line of a run. A file that cannot be loaded has no tests to count, and is one failure.
const [path] = process.argv.slice(2);
const files = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).testResults : [];
const count = (status) => files.flatMap((file) => file.assertionResults).filter((test) => test.status === status).length;
const broken = files.filter(
  (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
);
const passed = count('passed');
console.log(`${passed} passed, ${count('failed') + broken.length} failed`);
if (passed === 0) process.exitCode = 1;
