import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: {
    // Our files would get graphql's ES modules and the packages its CommonJS ones: two realms that refuse each other.
    alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }],
  },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: 'test/support/global-setup.ts',
    pool: 'forks',
    testTimeout: 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 30_000,
    // Deadlines of real processes on two shared cores: what fails twice is broken, what fails once was late.
    retry: 1,
    reporters: ['default', ['json', { outputFile: '.cache/test-report.json' }]],
  },
});
