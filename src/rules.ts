import type { Env } from './env.ts';
import { metaErrorRule } from './meta/error-codes.ts';
import type { FailureEffect, Rules } from './services/changes.ts';
import type { ChannelTrouble } from './services/channel-problems.ts';
import type { ChatModule } from './services/module.ts';

/** The readings of the rules that this deployment chose, from its environment and the module's settings. */
export function createRulesOf(env: Env): (module: ChatModule) => Rules {
  return ({ settings }) => ({
    beaconOrder: env.beaconOrder,
    templateClearsBeacon: env.templateClearsBeacon,
    windowWarningMinutes: settings.windowWarningMinutes,
    effectOf,
    troubleOf,
    isRetryable: (code) => code !== null && (metaErrorRule(code)?.retryable ?? false),
  });
}

function effectOf(code: number | null): FailureEffect | null {
  const effect = code === null ? null : metaErrorRule(code)?.effect;
  return effect === 'marketing-opt-out' || effect === 'template-unusable' ? effect : null;
}

function troubleOf(code: number | null): ChannelTrouble | null {
  const rule = code === null ? null : metaErrorRule(code);
  return rule?.class === 'channel' ? { meaning: rule.meaning, isOfNumber: rule.scope === 'number' } : null;
}
