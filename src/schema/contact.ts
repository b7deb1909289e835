import { hasScope } from '../auth.ts';
import type { Context } from '../context.ts';
import type { Participant as ParticipantRow } from '../generated/prisma/client.ts';
import { onlyContact } from '../services/contacts.ts';
import { builder } from './builder.ts';
import { Company } from './company.ts';
import { listSize } from './connection.ts';
import { argumentId } from './global-id.ts';
import { findable } from './node.ts';
import { Participant } from './participant.ts';
import { fillingIn } from './request-access.ts';
import { containsWordsOrDigits } from './search-words.ts';

export const Contact = builder.prismaNode('Contact', {
  id: { field: 'id' },
  description: 'A person that CDESK knows. A token needs READ_CONTACT_DATA.',
  authScopes: { scope: 'READ_CONTACT_DATA' },
  runScopesOnType: true,
  fields: (t) => ({
    name: t.exposeString('name', { nullable: true }),
    phoneNumber: t.expose('phoneNumber', { type: 'PhoneNumber', nullable: true }),
    email: t.exposeString('email', { nullable: true }),
    company: t.field({
      type: Company,
      nullable: true,
      resolve: (contact, _args, { loaders }) => (contact.companyId ? loaders.company.load(contact.companyId) : null),
    }),
  }),
});

findable('Contact', { scope: 'READ_CONTACT_DATA' }, (id, { loaders }) => loaders.contact.load(id));

builder.queryField('contacts', (t) =>
  t.field({
    type: [Contact],
    nullable: true,
    description: 'Contacts for the request form, by name. A token also needs READ_CONTACT_DATA.',
    authScopes: fillingIn,
    args: {
      search: t.arg.string({
        description:
          'Every word must occur in the name, the number or the address; case and accents do not matter, nor + and 00.',
      }),
      companyId: t.arg.id({ description: 'Only contacts of this company.' }),
      first: t.arg.int({ defaultValue: 20, description: '1 to 100.' }),
    },
    resolve: (_root, { search, companyId, first }, { db }) =>
      db.prisma.contact.findMany({
        where: {
          AND: containsWordsOrDigits(search, 'search'),
          ...(companyId != null && { companyId: argumentId('Company', companyId, 'companyId') }),
        },
        orderBy: [{ name: 'asc' }, { id: 'asc' }],
        take: listSize(first),
      }),
  }),
);

builder.prismaObjectFields(Participant, (t) => ({
  contact: t.field({
    type: Contact,
    nullable: true,
    description: 'The contact with this number, where exactly one has it. Null without READ_CONTACT_DATA.',
    resolve: (participant, _args, context) => contactOf(participant, context),
  }),
  company: t.field({
    type: Company,
    nullable: true,
    description: 'The company of that contact. Null without READ_CONTACT_DATA.',
    resolve: async (participant, _args, context) => {
      const contact = await contactOf(participant, context);
      return contact?.companyId ? context.loaders.company.load(contact.companyId) : null;
    },
  }),
}));

export async function contactOf(
  { comparisonKey }: Pick<ParticipantRow, 'comparisonKey'>,
  { viewer, loaders }: Pick<Context, 'viewer' | 'loaders'>,
) {
  if (comparisonKey === null || !hasScope(viewer, 'READ_CONTACT_DATA')) return null;
  return onlyContact(await loaders.contactsWith.load(comparisonKey));
}
