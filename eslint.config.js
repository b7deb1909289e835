import graphql from '@graphql-eslint/eslint-plugin';

/** Only for the contract: everything else is oxlint's. */
export default [
  {
    files: ['schema.graphql'],
    languageOptions: { parser: graphql.parser, parserOptions: { graphQLConfig: { schema: './schema.graphql' } } },
    plugins: { '@graphql-eslint': graphql },
    rules: {
      '@graphql-eslint/relay-page-info': 'error',
      '@graphql-eslint/relay-connection-types': 'error',
      // One connection pages forward only: what can be sent while the window is closed, beside the error that says so.
      '@graphql-eslint/relay-arguments': ['error', { includeBoth: false }],
      // Lists that are short by nature (tags, reactions, `nodes` beside `edges`) are lists and not pages.
      '@graphql-eslint/relay-edge-types': ['error', { listTypeCanWrapOnlyEdgeType: false }],
    },
  },
];
