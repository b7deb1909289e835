import { Failure, ForbiddenError, unauthenticated, type UserError as UserErrorShape } from '../errors.ts';
import { requireModule } from '../services/module.ts';
import { setOperatorActive, signOut } from '../services/operators.ts';
import { builder } from './builder.ts';
import { inputId } from './global-id.ts';
import { Operator } from './operator.ts';
import { requireRight } from './rights.ts';
import { payload, UserError } from './user-error.ts';
import { ViewerPayload } from './viewer.ts';

type Changed = { operatorId?: string; errors: UserErrorShape[] };

const OperatorPayload = builder.objectRef<Changed>('OperatorPayload').implement({
  fields: (t) => ({
    operator: t.field({
      type: Operator,
      nullable: true,
      resolve: ({ operatorId }, _args, { loaders }) => (operatorId ? loaders.operator.load(operatorId) : null),
    }),
    errors: t.field({ type: [UserError], resolve: ({ errors }) => errors }),
  }),
});

const SetOperatorActiveInput = builder.inputType('SetOperatorActiveInput', {
  fields: (t) => ({ operatorId: t.id({ required: true }), active: t.boolean({ required: true }) }),
});

builder.mutationField('setOperatorActive', (t) =>
  t.field({
    type: OperatorPayload,
    description:
      'Locks an operator out everywhere at once, or lets them in again. They stay the author of what they wrote. Needs MANAGE_OPERATORS.',
    args: { input: t.arg({ type: SetOperatorActiveInput, required: true }) },
    resolve: (_root, { input }, { viewer, readModule, db, loaders }) =>
      payload(async () => {
        const actor = requireRight(viewer, 'MANAGE_OPERATORS', null);
        requireModule(readModule.present(), 'licensed');
        const operatorId = inputId('Operator', input.operatorId, 'operatorId');
        await setOperatorActive(db, actor, { operatorId, active: input.active });
        loaders.operator.clear(operatorId);
        return { operatorId };
      }),
  }),
);

builder.mutationField('signOut', (t) =>
  t.field({
    type: ViewerPayload,
    description:
      'Ends every log-in of the viewer that was issued until now, on every device; connections are closed within seconds. Any operator may. Afterwards there is no viewer.',
    resolve: (_root, _args, { viewer, db }) =>
      payload(async () => {
        if (!viewer) throw unauthenticated();
        if (viewer.kind === 'token') throw new Failure(new ForbiddenError('A token is revoked, not signed out.'));
        await signOut(db, viewer.operatorId);
        return { viewer: null };
      }),
  }),
);
