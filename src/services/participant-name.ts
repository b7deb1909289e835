import { createHash } from 'node:crypto';
import type { Participant } from '../generated/prisma/client.ts';

/** Profile name, else number, else business-scoped id, else what is left of a group or an erased person. */
export function displayName(
  participant: Pick<Participant, 'id' | 'profileName' | 'phoneNumber' | 'waId' | 'userId' | 'groupId'>,
): string {
  const { id, profileName, phoneNumber, waId, userId, groupId } = participant;
  return profileName || phoneNumber || waId || userId || (groupId ? `Group ${groupId.slice(-6)}` : pseudonym(id));
}

/** The same for the same person, and nothing that leads back to them. */
export function pseudonym(id: string): string {
  return `Customer ${createHash('sha256').update(id).digest('hex').slice(0, 6)}`;
}
