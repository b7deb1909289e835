import { ChatEvent, colleagueOf, eventType, fact } from './chat-event.ts';
import { LoginState } from './enums.ts';
import { globalId } from './global-id.ts';
import { Operator } from './operator.ts';

export const OperatorPresenceChanged = eventType('OperatorPresenceChanged').implement({
  description: 'An operator came, went idle or signed out. A heartbeat that changes nothing sends no event.',
  interfaces: [ChatEvent],
  fields: (t) => ({
    operatorId: t.id({ resolve: (event) => globalId('Operator', event.operatorId ?? '') }),
    loginState: t.field({
      type: LoginState,
      resolve: (event) => fact<typeof LoginState.$inferType>(event, 'loginState'),
    }),
    operator: t.field({
      type: Operator,
      nullable: true,
      description: 'Null for a token that does not read conversations.',
      resolve: (event, _args, context) => colleagueOf(event, context),
    }),
  }),
});
