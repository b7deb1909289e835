import { builder } from './builder.ts';
import { listSize } from './connection.ts';
import { findable } from './node.ts';
import { fillingIn } from './request-access.ts';
import { containsWords } from './search-words.ts';

export const Company = builder.prismaNode('Company', {
  id: { field: 'id' },
  description: 'A company that CDESK knows.',
  authScopes: { scope: 'READ_CONTACT_DATA' },
  runScopesOnType: true,
  fields: (t) => ({ name: t.exposeString('name') }),
});

findable('Company', { scope: 'READ_CONTACT_DATA' }, (id, { loaders }) => loaders.company.load(id));

builder.queryField('companies', (t) =>
  t.field({
    type: [Company],
    nullable: true,
    description: 'Companies for the request form, by name. A token also needs READ_CONTACT_DATA.',
    authScopes: fillingIn,
    args: {
      search: t.arg.string({ description: 'Every word must occur in the name; case and accents do not matter.' }),
      first: t.arg.int({ defaultValue: 20, description: '1 to 100.' }),
    },
    resolve: (_root, { search, first }, { db }) =>
      db.prisma.company.findMany({
        where: { AND: containsWords(search, 'search') },
        orderBy: [{ name: 'asc' }, { id: 'asc' }],
        take: listSize(first),
      }),
  }),
);
