/**
 * The configuration of a server: complete, checked, and the same whether it
 * came from flags, from a TOML file or from defaults.
 *
 * @module
 */

import { StartError } from "./errors.ts";
import { isInherited, isUnix } from "./config/address.ts";
import { formatDurationMs } from "./config/duration.ts";
import { refuseSharedSockets } from "./config/inherited.ts";
import { checkListeners } from "./config/listeners.ts";
import { checkShared } from "./config/shared.ts";
import { checkSocketSettings } from "./config/sockets.ts";
import type { Config, GivenConfig } from "./config/shape.ts";
import { type Setting, SETTINGS } from "./config/settings.ts";
import { MAX_DURATION_MS, MIN_MEMORY_BUDGET_BYTES } from "./limits.ts";

export type {
  Address,
  InheritedAddress,
  TcpAddress,
  UnixAddress,
} from "./config/address.ts";
export type {
  Config,
  Durability,
  GivenConfig,
  LoggedCalls,
  TlsOn,
} from "./config/shape.ts";
export {
  formatAddress,
  isInherited,
  isLoopback,
  isUnix,
  whereIs,
} from "./config/address.ts";
export { inheritedOf } from "./config/inherited.ts";
export {
  listenerWarnings,
  speaksTls,
  type TlsConfig,
} from "./config/listeners.ts";

/** The names of all settings, in the order of the table. */
export const CONFIG_KEYS: readonly (keyof Config)[] = Object.keys(
  SETTINGS,
) as (keyof Config)[];

/**
 * Reads one value as it was written.
 *
 * @param given Where the value goes.
 * @param key Which setting it is for.
 * @param written The text, and the name of its source for an error.
 * @throws {StartError} When the value does not fit the setting.
 */
export function readSetting<K extends keyof Config>(
  given: GivenConfig,
  key: K,
  written: { text: string; source: string },
): void {
  try {
    given[key] = SETTINGS[key].parse(written.text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const value = written.text === "" ? '""' : written.text;
    throw new StartError(2, `${written.source} ${value}: ${error.message}`);
  }
}

/**
 * Fills in the defaults and checks what one setting alone cannot tell.
 *
 * @param given What was given.
 * @returns The whole configuration.
 * @throws {StartError} When two settings contradict each other.
 */
export function completeConfig(given: GivenConfig): Config {
  const full: GivenConfig = {};
  for (const key of CONFIG_KEYS) fill(full, key, given);
  const config = full as Config;
  const { local, remote, heartbeatIntervalMs, heartbeatTimeoutMs } = config;
  if (!local && !remote) {
    throw new StartError(
      2,
      "--local and --remote are both off: give one of them an address",
    );
  }
  if (isSame(local, remote)) {
    throw new StartError(
      2,
      "--local and --remote are the same address: give each its own port",
    );
  }
  refuseSharedSockets(config);
  checkListeners(config);
  checkSocketSettings(given, config);
  checkShared(config);
  const forCalls = config.memoryBudgetBytes - config.memoryCacheBytes;
  if (forCalls < MIN_MEMORY_BUDGET_BYTES) {
    throw new StartError(
      2,
      "--memory-budget-bytes includes --memory-cache-bytes and must leave " +
        "16MiB for calls: raise the one or lower the other",
    );
  }
  if (heartbeatTimeoutMs > MAX_DURATION_MS) {
    throw new StartError(
      2,
      `--heartbeat-interval is so long that the lease exceeds ${
        formatDurationMs(MAX_DURATION_MS)
      }: shorten it`,
    );
  }
  if (heartbeatIntervalMs >= heartbeatTimeoutMs) {
    throw new StartError(
      2,
      `--heartbeat-interval ${formatDurationMs(heartbeatIntervalMs)} must be ` +
        `shorter than --heartbeat-timeout ${
          formatDurationMs(heartbeatTimeoutMs)
        }: shorten the one or raise the other`,
    );
  }
  return config;
}

/** Not where ports are picked; the paths of sockets are compared when they are whole. */
function isSame(
  local: Config["local"],
  remote: Config["remote"],
): boolean {
  if (!local || !remote || isUnix(local) || isUnix(remote)) return false;
  if (isInherited(local) || isInherited(remote)) return false;
  return local.port !== 0 && local.port === remote.port &&
    local.host === remote.host;
}

/**
 * Writes a configuration as arguments that read back as the same one: the root,
 * both addresses, and what differs from its default.
 *
 * @param config The configuration.
 * @returns The arguments after `serve`.
 */
export function renderArguments(config: Config): string[] {
  const words = [config.root];
  for (const key of CONFIG_KEYS) words.push(...renderFlag(config, key));
  return words;
}

/**
 * Writes a whole configuration for people.
 *
 * @param config The configuration.
 * @returns Each flag, and what it is.
 */
export function settingsOf(config: Config): [flag: string, value: string][] {
  return CONFIG_KEYS.map((key) => settingOf(config, key));
}

function settingOf<K extends keyof Config>(
  config: Config,
  key: K,
): [string, string] {
  const { name, render }: Setting<Config[K]> = SETTINGS[key];
  return [key === "root" ? "ROOT" : `--${name}`, render(config[key])];
}

function fill<K extends keyof Config>(
  full: GivenConfig,
  key: K,
  given: GivenConfig,
): void {
  // "off" is given as undefined: only the key's presence tells.
  full[key] = key in given
    ? given[key] as Config[K]
    : SETTINGS[key].default(given);
}

function renderFlag<K extends keyof Config>(config: Config, key: K): string[] {
  if (key === "root") return [];
  const setting: Setting<Config[K]> = SETTINGS[key];
  const value = setting.render(config[key]);
  // The addresses are always named: the permissions beside them name them too.
  const isAddress = key === "local" || key === "remote";
  if (!isAddress && value === setting.render(setting.default(config))) {
    return [];
  }
  if (setting.isSwitch) return [`--${setting.name}`];
  return [setting.short ? `-${setting.short}` : `--${setting.name}`, value];
}
