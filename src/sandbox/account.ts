import type { SandboxNumber } from './options.ts';
import { ok } from './reply.ts';
import type { Reply } from './reply.ts';
import type { State } from './state.ts';

const app = { id: '670843887433847', link: 'https://www.facebook.com/games/?app_id=670843887433847', name: 'Sandbox' };

/** GET /{phone-number-id}; without `fields` Meta answers with four of them. */
export function showNumber(number: SandboxNumber, query: URLSearchParams): Reply {
  return ok(pick(numberRow(number), query, ['verified_name', 'display_phone_number', 'quality_rating']));
}

/** GET /{business-account-id}/phone_numbers */
export function listNumbers(state: State, query: URLSearchParams): Reply {
  const fields = ['verified_name', 'display_phone_number', 'quality_rating'];
  return ok({ data: state.phoneNumbers.map((number) => pick(numberRow(number), query, fields)) });
}

/** GET /{business-account-id} */
export function showAccount(state: State, query: URLSearchParams): Reply {
  const row = {
    id: state.businessAccountId,
    name: 'Sandbox Business Account',
    timezone_id: '138',
    message_template_namespace: '9d1f930f_bea0_46c5_9099_bc3291e9d6b4',
    account_review_status: 'APPROVED',
    business_verification_status: 'verified',
    ownership_type: 'SELF',
  };
  return ok(pick(row, query, ['name', 'timezone_id', 'message_template_namespace']));
}

/** GET, POST and DELETE /{business-account-id}/subscribed_apps */
export function subscribedApps(state: State, method: string): Reply {
  if (method === 'GET') return ok({ data: state.isSubscribed ? [{ whatsapp_business_api_data: app }] : [] });
  state.isSubscribed = method === 'POST';
  return ok({ success: true });
}

function numberRow(number: SandboxNumber): Record<string, unknown> {
  return {
    id: number.id,
    verified_name: number.verifiedName,
    display_phone_number: number.displayPhoneNumber,
    quality_rating: 'GREEN',
    name_status: 'APPROVED',
    new_name_status: 'NONE',
    code_verification_status: 'VERIFIED',
    status: 'CONNECTED',
    platform_type: 'CLOUD_API',
    throughput: { level: 'STANDARD' },
    account_mode: 'SANDBOX',
    is_official_business_account: false,
    whatsapp_business_manager_messaging_limit: 'TIER_2K',
    health_status: {
      can_send_message: 'AVAILABLE',
      entities: [{ entity_type: 'PHONE_NUMBER', id: number.id, can_send_message: 'AVAILABLE' }],
    },
  };
}

function pick(row: Record<string, unknown>, query: URLSearchParams, usual: readonly string[]): Record<string, unknown> {
  const names = new Set(['id', ...(query.get('fields')?.split(',') ?? usual)]);
  return Object.fromEntries(Object.entries(row).filter(([name]) => names.has(name)));
}
