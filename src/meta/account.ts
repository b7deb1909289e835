import { z } from 'zod';
import type { CallOutcome } from './outcome.ts';
import { repeatable, succeeded } from './transport.ts';
import type { Transport } from './transport.ts';

/** Meta's words are kept as text: its lists of values differ between pages and grow without notice. */
export type PhoneNumber = {
  id: string;
  /** As Meta prints it, e.g. +1 555-093-4873. */
  displayPhoneNumber: string | null;
  verifiedName: string | null;
  qualityRating: string | null;
  status: string | null;
  nameStatus: string | null;
  codeVerificationStatus: string | null;
  accountMode: string | null;
  /** STANDARD, HIGH or NOT_APPLICABLE: how many messages per second may leave. */
  throughputLevel: string | null;
  messagingLimit: string | null;
  /** AVAILABLE, LIMITED or BLOCKED. */
  canSendMessage: string | null;
};

export type BusinessAccount = {
  id: string;
  name: string | null;
  reviewStatus: string | null;
  verificationStatus: string | null;
  timezoneId: string | null;
  ownershipType: string | null;
};

export type AppSubscription = { appId: string; name: string | null; overrideCallbackUrl: string | null };

const word = z.string().nullish().catch(null);

const phoneNumber = z.object({
  id: z.string(),
  display_phone_number: word,
  verified_name: word,
  quality_rating: word,
  status: word,
  name_status: word,
  code_verification_status: word,
  account_mode: word,
  throughput: z.object({ level: word }).nullish().catch(null),
  whatsapp_business_manager_messaging_limit: word,
  health_status: z.object({ can_send_message: word }).nullish().catch(null),
});
const phoneNumberFields = Object.keys(phoneNumber.shape).join(',');

const businessAccount = z.object({
  id: z.string(),
  name: word,
  account_review_status: word,
  business_verification_status: word,
  timezone_id: word,
  ownership_type: word,
});
const businessAccountFields = Object.keys(businessAccount.shape).join(',');

const subscriptions = z.object({
  data: z.array(
    z.object({
      whatsapp_business_api_data: z.object({ id: z.string(), name: word }),
      override_callback_uri: word,
    }),
  ),
});

export async function getPhoneNumber(
  transport: Transport,
  phoneNumberId: string,
  accessToken: string,
): Promise<CallOutcome<PhoneNumber>> {
  const query = { fields: phoneNumberFields };
  const request = { method: 'GET', path: encodeURIComponent(phoneNumberId), query, accessToken } as const;
  return repeatable(await transport.call(request, (body) => phoneNumber.safeParse(body).data ?? null), (found) => ({
    id: found.id,
    displayPhoneNumber: found.display_phone_number ?? null,
    verifiedName: found.verified_name ?? null,
    qualityRating: found.quality_rating ?? null,
    status: found.status ?? null,
    nameStatus: found.name_status ?? null,
    codeVerificationStatus: found.code_verification_status ?? null,
    accountMode: found.account_mode ?? null,
    throughputLevel: found.throughput?.level ?? null,
    messagingLimit: found.whatsapp_business_manager_messaging_limit ?? null,
    canSendMessage: found.health_status?.can_send_message ?? null,
  }));
}

export async function getBusinessAccount(
  transport: Transport,
  businessAccountId: string,
  accessToken: string,
): Promise<CallOutcome<BusinessAccount>> {
  const query = { fields: businessAccountFields };
  const request = { method: 'GET', path: encodeURIComponent(businessAccountId), query, accessToken } as const;
  return repeatable(await transport.call(request, (body) => businessAccount.safeParse(body).data ?? null), (found) => ({
    id: found.id,
    name: found.name ?? null,
    reviewStatus: found.account_review_status ?? null,
    verificationStatus: found.business_verification_status ?? null,
    timezoneId: found.timezone_id ?? null,
    ownershipType: found.ownership_type ?? null,
  }));
}

/** An account without a subscription of our app is "verified but silent": no webhook ever comes. */
export async function subscribedApps(
  transport: Transport,
  businessAccountId: string,
  accessToken: string,
): Promise<CallOutcome<AppSubscription[]>> {
  const request = { method: 'GET', path: subscriptionPath(businessAccountId), accessToken } as const;
  return repeatable(await transport.call(request, (body) => subscriptions.safeParse(body).data ?? null), ({ data }) =>
    data.map((app) => ({
      appId: app.whatsapp_business_api_data.id,
      name: app.whatsapp_business_api_data.name ?? null,
      overrideCallbackUrl: app.override_callback_uri ?? null,
    })),
  );
}

/** Subscribes the app that the token belongs to. */
export async function subscribeApp(
  transport: Transport,
  businessAccountId: string,
  accessToken: string,
): Promise<CallOutcome<null>> {
  const request = { method: 'POST', path: subscriptionPath(businessAccountId), accessToken } as const;
  return repeatable(await transport.call(request, (body) => succeeded.safeParse(body).data ?? null), () => null);
}

function subscriptionPath(businessAccountId: string): string {
  return `${encodeURIComponent(businessAccountId)}/subscribed_apps`;
}
