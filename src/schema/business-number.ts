import { builder } from './builder.ts';
import { findable } from './node.ts';
import { seesNumber } from './visibility.ts';

export const BusinessNumber = builder.prismaNode('BusinessNumber', {
  id: { field: 'id' },
  description: "One of the organisation's numbers.",
  authScopes: { colleague: true },
  runScopesOnType: true,
  fields: (t) => ({
    slot: t.exposeInt('slot', { nullable: true, description: '1 or 2; null once it was replaced.' }),
    phoneNumberId: t.expose('phoneNumberId', { type: 'MetaId', description: "Meta's id of the number." }),
    phoneNumber: t.expose('phoneNumber', { type: 'PhoneNumber' }),
    displayName: t.exposeString('displayName', {
      nullable: true,
      description: 'The name that Meta shows to customers.',
    }),
    qualityRating: t.exposeString('qualityRating', {
      nullable: true,
      description:
        "Meta's word for how customers take what the number sends: GREEN, YELLOW, RED, UNKNOWN, or one that it adds. Null until Meta said it.",
    }),
    active: t.exposeBoolean('active', { description: 'False once it was replaced: history stays, nothing is sent.' }),
  }),
});

findable('BusinessNumber', { colleague: true }, (id, { viewer, loaders }) =>
  seesNumber(viewer, id) ? loaders.businessNumber.load(id) : null,
);
