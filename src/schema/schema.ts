import './scalars.ts';
import './user-error.ts';
import './node.ts';
import './stream.ts';
import './viewer.ts';
import './operator-mutations.ts';
import './api-token.ts';
import './module.ts';
import './channel-problem.ts';
import './module-mutations.ts';
import './conversation.ts';
import './conversation-list.ts';
import './conversation-summary.ts';
import './saved-filter.ts';
import './saved-filter-mutations.ts';
import './conversation-mutations.ts';
import './template-list.ts';
import './window-error.ts';
import './chat-event.ts';
import './event-subscriptions.ts';
import './events-query.ts';
import './audit.ts';
import './webhook-delivery.ts';
import { builder } from './builder.ts';
import { auditRefusals } from './refusal-audit.ts';

/** The public contract, put together from one file per noun. */
export const schema = auditRefusals(builder.toSchema());
