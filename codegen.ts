import type { CodegenConfig } from '@graphql-codegen/cli';

/** Typed documents for clients: of the operations in client/, against the committed contract. */
const config: CodegenConfig = {
  schema: 'schema.graphql',
  documents: 'client/*.graphql',
  importExtension: '.ts',
  generates: {
    'src/generated/client/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        enumsAsTypes: true,
        useTypeImports: true,
        scalars: {
          DateTime: 'string',
          Date: 'string',
          TimeZone: 'string',
          PhoneNumber: 'string',
          MetaId: 'string',
          EventCursor: 'string',
          LanguageCode: 'string',
          ConversationFilterJSON: 'object',
        },
      },
    },
  },
};

export default config;
