import { builder } from './builder.ts';
import { findable } from './node.ts';
import { containsWords } from './search-words.ts';

const MAX_TAGS = 100;

export const Tag = builder.prismaNode('Tag', {
  id: { field: 'id' },
  description: 'A word that sorts requests.',
  authScopes: { scope: 'READ_REQUESTS' },
  runScopesOnType: true,
  fields: (t) => ({
    name: t.exposeString('name'),
    color: t.exposeString('color', { nullable: true, description: 'As #rrggbb.' }),
  }),
});

findable('Tag', { scope: 'READ_REQUESTS' }, (id, { db }) => db.prisma.tag.findUnique({ where: { id } }));

builder.queryField('tags', (t) =>
  t.field({
    type: [Tag],
    nullable: true,
    description: `The tag list by name, at most ${MAX_TAGS}: search for the others.`,
    authScopes: { scope: 'READ_REQUESTS' },
    args: {
      search: t.arg.string({ description: 'Every word must occur in the name; case and accents do not matter.' }),
    },
    resolve: (_root, { search }, { db }) =>
      db.prisma.tag.findMany({
        where: { AND: containsWords(search, 'search') },
        orderBy: { name: 'asc' },
        take: MAX_TAGS,
      }),
  }),
);
