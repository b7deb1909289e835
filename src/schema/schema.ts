import { isObjectType, type GraphQLSchema } from 'graphql';
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
import './conversation-list-changed.ts';
import './saved-filter.ts';
import './saved-filter-mutations.ts';
import './conversation-mutations.ts';
import './send-mutations.ts';
import './message-mutations.ts';
import './upload-mutation.ts';
import './conversation-presence.ts';
import './list-preferences.ts';
import './template-list.ts';
import './template-errors.ts';
import './request.ts';
import './request-draft.ts';
import './request-mutations.ts';
import './request-part-mutations.ts';
import './discussion-mutations.ts';
import './message-request-link.ts';
import './window-error.ts';
import './chat-event.ts';
import './message-event.ts';
import './conversation-event.ts';
import './request-event.ts';
import './template-event.ts';
import './operator-event.ts';
import './event-subscriptions.ts';
import './events-query.ts';
import './audit.ts';
import './webhook-delivery.ts';
import './privacy.ts';
import { builder } from './builder.ts';
import { globalId } from './global-id.ts';
import { auditRefusals } from './refusal-audit.ts';

/** The public contract, put together from one file per noun. */
export const schema = auditRefusals(builder.toSchema());

let compilable: GraphQLSchema | null = null;

/**
 * The contract for compiled queries: without the checks of whole types, which their runner makes once beforehand, with
 * plain properties where a resolver only reads one, and without the two promises that Pothos makes for each id.
 */
export function compilableSchema(): GraphQLSchema {
  compilable ??= withPlainResolvers(builder.toSchema());
  return compilable;
}

function withPlainResolvers(made: GraphQLSchema): GraphQLSchema {
  for (const type of Object.values(made.getTypeMap())) {
    if (!isObjectType(type)) continue;
    type.isTypeOf = undefined;
    for (const field of Object.values(type.getFields())) {
      const { pothosExposedField, pothosResolveWrapped } = field.extensions;
      if (pothosExposedField === field.name && pothosResolveWrapped === false) field.resolve = undefined;
      if (field.name === 'id' && type.extensions.pothosPrismaModel) field.resolve = ({ id }) => globalId(type.name, id);
    }
  }
  return made;
}
