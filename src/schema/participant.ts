import { hasScope } from '../auth.ts';
import { builder } from './builder.ts';
import { findable } from './node.ts';
import { isParticipantVisible } from './visibility.ts';
import { displayName, pseudonym } from '../services/participant-name.ts';
import type { Participant as ParticipantRow } from '../generated/prisma/client.ts';
import { reads } from './wanted-rows.ts';

export const Participant = builder.prismaNode('Participant', {
  id: { field: 'id' },
  description: 'The customer. The phone number may be missing: some customers have a business-scoped user id only.',
  authScopes: { scope: 'READ_CONVERSATIONS' },
  runScopesOnType: true,
  fields: (t) => ({
    displayName: t.string({
      description: 'Profile name, else number, else user id. A stable pseudonym without READ_CONTACT_DATA.',
      extensions: reads<ParticipantRow>('profileName', 'phoneNumber', 'waId', 'userId', 'groupId'),
      resolve: (participant, _args, { viewer }) =>
        hasScope(viewer, 'READ_CONTACT_DATA') ? displayName(participant) : pseudonym(participant.id),
    }),
    profileName: t.string({
      nullable: true,
      description: 'The name that the customer chose. Null without READ_CONTACT_DATA.',
      extensions: reads<ParticipantRow>('profileName'),
      resolve: (participant, _args, { viewer }) =>
        hasScope(viewer, 'READ_CONTACT_DATA') ? participant.profileName : null,
    }),
    phoneNumber: t.field({
      type: 'PhoneNumber',
      nullable: true,
      description: 'Null where Meta does not tell it, and without READ_CONTACT_DATA.',
      extensions: reads<ParticipantRow>('phoneNumber'),
      resolve: (participant, _args, { viewer }) =>
        hasScope(viewer, 'READ_CONTACT_DATA') ? participant.phoneNumber : null,
    }),
    businessScopedUserId: t.string({
      nullable: true,
      description: "Meta's id of the customer for this business. Null without READ_CONTACT_DATA.",
      extensions: reads<ParticipantRow>('userId'),
      resolve: (participant, _args, { viewer }) => (hasScope(viewer, 'READ_CONTACT_DATA') ? participant.userId : null),
    }),
    previousPhoneNumbers: t.field({
      type: ['PhoneNumber'],
      description: 'Numbers that the customer had before, oldest first. Empty without READ_CONTACT_DATA.',
      extensions: reads<ParticipantRow>('previousPhoneNumbers'),
      resolve: (participant, _args, { viewer }) =>
        hasScope(viewer, 'READ_CONTACT_DATA') ? participant.previousPhoneNumbers : [],
    }),
  }),
});

findable('Participant', { scope: 'READ_CONVERSATIONS' }, async (id, context) => {
  const participant = await context.loaders.participant.load(id);
  return participant && (await isParticipantVisible(participant.id, context)) ? participant : null;
});
