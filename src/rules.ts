import type { Env } from './env.ts';
import { metaErrorRule } from './meta/error-codes.ts';
import type { Rules } from './services/changes.ts';
import type { ChatModule } from './services/module.ts';

/** The readings of the rules that this deployment chose, from its environment and the module's settings. */
export function createRulesOf(env: Env): (module: ChatModule) => Rules {
  return ({ settings }) => ({
    beaconOrder: env.beaconOrder,
    templateClearsBeacon: env.templateClearsBeacon,
    windowWarningMinutes: settings.windowWarningMinutes,
    isRetryable: (code) => code !== null && (metaErrorRule(code)?.retryable ?? false),
  });
}
