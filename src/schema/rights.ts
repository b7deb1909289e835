import { AuthScopeFailureType, type AuthFailure } from '@pothos/plugin-scope-auth';
import { hasPermission, hasScope, type Viewer } from '../auth.ts';
import type { Context } from '../context.ts';
import { Failure, ForbiddenError, forbidden, NotFoundError, Refusal, unauthenticated } from '../errors.ts';
import type { ChatPermission, TokenScope } from '../generated/prisma/enums.ts';
import type { Actor } from '../services/actor.ts';
import type { NamedConversation } from '../services/idempotency.ts';
import type { ChatModule } from '../services/module.ts';
import { actorFrom } from './actor.ts';
import { inputId } from './global-id.ts';
import { maySee } from './visibility.ts';

/** Operators need the right, tokens the scope (null: no token may). Without any credential the operation itself is refused. */
export function requireRight(viewer: Viewer | null, permission: ChatPermission, scope: TokenScope | null): Actor {
  if (!viewer) throw unauthenticated();
  const may =
    viewer.kind === 'operator' ? hasPermission(viewer, permission) : scope !== null && hasScope(viewer, scope);
  if (!may) throw new Failure(new ForbiddenError(lack(viewer, scope) ?? 'You may not do this.', permission));
  return actorFrom(viewer);
}

/** For what belongs to a person: no token has it. */
export function requireOperator(viewer: Viewer | null, permission: ChatPermission): Actor & { operatorId: string } {
  const actor = requireRight(viewer, permission, null);
  if (actor.operatorId === null) throw new Failure(new ForbiddenError('Only an operator may do this.', permission));
  return { ...actor, operatorId: actor.operatorId };
}

/** While the module is off, its history stays open to administrators only; without a licence to nobody. */
export function isReadable(module: ChatModule, viewer: Viewer | null): boolean {
  return module.licensed && (module.settings.enabled || hasPermission(viewer, 'MANAGE_SETTINGS'));
}

/** People and numbers of the organisation are known to every operator with any right, and to tokens that read conversations. */
export function isColleague(viewer: Viewer | null): boolean {
  return viewer?.kind === 'operator' ? viewer.permissions.size > 0 : hasScope(viewer, 'READ_CONVERSATIONS');
}

/** What a type or a field may ask of the viewer; one of several is enough. */
export type Access = {
  /** Anyone with a valid log-in or token. */
  signedIn?: boolean;
  /** An operator with any right, or a token that reads conversations. */
  colleague?: boolean;
  /** An operator with this right; no token has any. */
  permission?: ChatPermission;
  /** A token with this scope, or an operator who may read conversations. */
  scope?: TokenScope;
};

export function mayAccess({ viewer, readModule }: Pick<Context, 'viewer' | 'readModule'>, access: Access): boolean {
  const module = readModule.present();
  if (access.signedIn && viewer !== null) return true;
  if (access.colleague && module.licensed && isColleague(viewer)) return true;
  if (access.permission && module.licensed && hasPermission(viewer, access.permission)) return true;
  return access.scope !== undefined && isReadable(module, viewer) && hasScope(viewer, access.scope);
}

/** What a token would need; null where no scope would do. */
function lack(viewer: Viewer | null, scope: string | null): string | null {
  return viewer?.kind === 'token' && scope !== null ? `This token lacks ${scope}.` : null;
}

/** For what is refused by hand: a token is told the scope, anybody else the sentence. */
export function forbiddenWithout(scope: TokenScope, viewer: Viewer | null, message: string): Refusal {
  return forbidden(lack(viewer, scope) ?? message);
}

/** What a token has to see to change it; for operators what they may not see does not exist. */
export function requireScope(viewer: Viewer | null, scope: TokenScope): void {
  const sentence = hasScope(viewer, scope) ? null : lack(viewer, scope);
  if (sentence !== null) throw new Failure(new ForbiddenError(sentence));
}

/** The scope that would have let a token in; null where none does. */
function missingScope(failure: AuthFailure): string | null {
  if ('failures' in failure) return failure.failures.map(missingScope).find((scope) => scope !== null) ?? null;
  if (failure.kind !== AuthScopeFailureType.AuthScope) return null;
  if (failure.scope === 'colleague') return 'READ_CONVERSATIONS';
  return failure.scope === 'scope' ? String(failure.parameter) : null;
}

/** Why a field is refused to this viewer. */
export function refusalOf({ viewer, readModule }: Context, failure: AuthFailure): Refusal {
  if (!viewer) return unauthenticated();
  const module = readModule.present();
  if (!module.licensed) return forbidden('The licence does not contain the chat module.');
  if (!isReadable(module, viewer)) return moduleDisabled();
  return forbidden(lack(viewer, missingScope(failure)) ?? 'You may not see this.');
}

export function moduleDisabled(): Refusal {
  return new Refusal('MODULE_DISABLED', 'The chat module is switched off.');
}

/** Nothing is followed while the module is off, not even by administrators: there is nothing to come. */
export function requireFollowing({ viewer, readModule }: Pick<Context, 'viewer' | 'readModule'>): void {
  if (!viewer) throw unauthenticated();
  const refusal = followingRefusal(readModule.present());
  if (refusal) throw refusal;
}

/** Why nobody may follow anything now; null where one may. */
export function followingRefusal({ licensed, settings }: ChatModule): Refusal | null {
  if (!licensed) return new Refusal('MODULE_NOT_LICENSED', 'The licence does not contain the chat module.');
  return settings.enabled ? null : moduleDisabled();
}

/** The row id of a conversation that the viewer may see; others do not exist. */
export async function visibleConversation(global: string, { viewer, loaders }: Context): Promise<string> {
  requireScope(viewer, 'READ_CONVERSATIONS');
  const id = inputId('Conversation', global, 'conversationId');
  const conversation = await loaders.conversation.load(id);
  if (!conversation || !maySee(viewer, conversation)) {
    throw new Failure(new NotFoundError('There is no such conversation.', ['input', 'conversationId']));
  }
  // The change is about to make what was loaded here old, also under the id of what it was merged into.
  loaders.conversation.clear(id).clear(conversation.id);
  return conversation.id;
}

/** For what has an idempotency key: it belongs to the id that was sent. */
export async function namedConversation(global: string, context: Context): Promise<NamedConversation> {
  const conversationId = await visibleConversation(global, context);
  return { conversationId, namedConversationId: inputId('Conversation', global, 'conversationId') };
}
