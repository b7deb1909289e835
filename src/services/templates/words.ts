import type { TemplateCategory, TemplateStatus } from '../../generated/prisma/enums.ts';

/** States of the listing and events of the webhook. A word that is not here is UNKNOWN, which cannot be sent. */
const statuses: Readonly<Record<string, TemplateStatus>> = {
  APPROVED: 'APPROVED',
  REINSTATED: 'APPROVED',
  UNARCHIVED: 'APPROVED',
  PENDING: 'PENDING',
  REJECTED: 'REJECTED',
  PAUSED: 'PAUSED',
  DISABLED: 'DISABLED',
  ARCHIVED: 'DISABLED',
  IN_APPEAL: 'IN_APPEAL',
  DELETED: 'DELETED',
  PENDING_DELETION: 'DELETED',
};

const categories: Readonly<Record<string, TemplateCategory>> = {
  AUTHENTICATION: 'AUTHENTICATION',
  OTP: 'AUTHENTICATION',
  MARKETING: 'MARKETING',
  UTILITY: 'UTILITY',
  TRANSACTIONAL: 'UTILITY',
};

export function templateStatus(word: string): TemplateStatus {
  return statuses[word.toUpperCase()] ?? 'UNKNOWN';
}

/** FLAGGED only warns of a bad rating: the template goes on as it was. */
export function statusOfEvent(word: string): TemplateStatus | null {
  return word.toUpperCase() === 'FLAGGED' ? null : templateStatus(word);
}

export function templateCategory(word: string): TemplateCategory {
  return categories[word.toUpperCase()] ?? 'UNKNOWN';
}

/** Sends want en_US, webhooks write en-US. */
export function templateLanguage(code: string): string {
  return code.replaceAll('-', '_');
}

/** Meta writes NONE where there is no reason. */
export function rejectionReason(word: string | null): string | null {
  return word === null || word === '' || word.toUpperCase() === 'NONE' ? null : word;
}
