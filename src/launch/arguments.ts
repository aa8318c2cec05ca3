/**
 * The command line: from words to what is to be done.
 *
 * @module
 */

import { isAbsolute, resolve } from "node:path";
import {
  completeConfig,
  type Config,
  type GivenConfig,
  readSetting,
} from "../config.ts";
import { StartError } from "../errors.ts";
import { DEFAULT_ROOT } from "../limits.ts";
import { parseBootId } from "./boot_id.ts";
import { readConfigFile } from "./config_file.ts";
import { FLAG_KEYS, FLAGS } from "./flags.ts";
import { isUnix } from "../config/address.ts";
import { refuseInherited } from "../config/inherited.ts";
import { FILE_KEYS, SETTINGS } from "../config/settings.ts";
import { checkSocketPaths } from "../config/sockets.ts";
import { Words } from "../flags/words.ts";

/** What the command line asks for. */
export type Invocation =
  /** Print the help. */
  | { readonly kind: "help" }
  /** Print the version. */
  | { readonly kind: "version" }
  /** Start a confined server and look after it. */
  | {
    readonly kind: "launch";
    readonly config: Config;
    /** Until stdin ends: somebody else has started the launcher. */
    readonly supervised: boolean;
  }
  /** Print the command that starts a confined server. */
  | { readonly kind: "print-command"; readonly config: Config }
  /** Move a root's manifest aside; its absolute path. */
  | { readonly kind: "recover"; readonly root: string; readonly force: boolean }
  /** Serve in this process; when supervised, until stdin ends. */
  | {
    readonly kind: "confined";
    readonly config: Config;
    readonly supervised: boolean;
    /** Of this boot of the machine, where that was said. */
    readonly bootId?: string;
  };

/**
 * Understands a command line.
 *
 * @param args The words after the program's name.
 * @param workingFolder Where relative paths start; asked only when there is one,
 * because a confined process may not know it.
 * @returns What to do.
 * @throws {StartError} When the command line or the configuration is wrong.
 */
export async function parseCommandLine(
  args: readonly string[],
  workingFolder: () => string,
): Promise<Invocation> {
  const words = Words.read(args, FLAGS);
  if (words.has("help")) return { kind: "help" };
  if (words.has("version")) return { kind: "version" };
  const [command, root, extra] = words.positionals;
  if (command !== "serve" && command !== "recover") {
    throw new StartError(
      2,
      command === undefined
        ? "no command: write larder serve, or larder --help"
        : `unknown command ${command}: write larder serve, or larder --help`,
    );
  }
  if (extra !== undefined) {
    throw new StartError(2, `one ROOT only: ${extra} is one word too many`);
  }
  if (command === "recover") return toRecover(words, root, workingFolder);
  if (words.has("force")) {
    throw new StartError(2, "--force is a flag of larder recover");
  }
  const confined = words.has("confined");
  const supervised = words.has("supervised");
  const configFile = words.text("config");
  if (confined && configFile !== undefined) {
    throw new StartError(
      2,
      "--confined reads no --config: use what --print-command prints",
    );
  }
  const bootId = bootIdOf(words);
  if (!confined && bootId !== undefined) {
    throw new StartError(2, "--boot-id is a flag of larder serve --confined");
  }
  const own = settingsOf(words);
  const given = configFile === undefined
    ? {}
    : await readConfigFile(resolve(workingFolder(), configFile));
  Object.assign(given, own);
  if (root !== undefined) {
    readSetting(given, "root", { text: root, source: "ROOT" });
  }
  const config = withAbsolutePaths(completeConfig(given), (name) => {
    if (!confined) return workingFolder();
    throw new StartError(2, `--confined needs ${name} as an absolute path`);
  });
  if (confined) {
    return {
      kind: "confined",
      config,
      supervised,
      ...bootId !== undefined && { bootId },
    };
  }
  if (words.has("print-command")) return { kind: "print-command", config };
  refuseInherited(config);
  return { kind: "launch", config, supervised };
}

/** Nothing is served: a flag that says how is a misunderstanding. */
function toRecover(
  words: Words,
  root: string = DEFAULT_ROOT,
  workingFolder: () => string,
): Invocation {
  if (words.given.some((name) => name !== "force")) {
    throw new StartError(2, "larder recover takes ROOT and --force only");
  }
  return {
    kind: "recover",
    root: isAbsolute(root) ? resolve(root) : resolve(workingFolder(), root),
    force: words.has("force"),
  };
}

function withAbsolutePaths(
  config: Config,
  from: (name: string) => string,
): Config {
  const absolute = (path: string, name: string) =>
    isAbsolute(path) ? resolve(path) : resolve(from(name), path);
  const files = FILE_KEYS.flatMap((key) => {
    const path = config[key];
    if (path === undefined) return [];
    return [[key, absolute(path, `--${SETTINGS[key].name}`)]];
  });
  const sockets = (["local", "remote"] as const).flatMap((key) => {
    const address = config[key];
    if (address === undefined || !isUnix(address)) return [];
    return [[key, { path: absolute(address.path, `--${key}`) }]];
  });
  const root = absolute(config.root, "ROOT");
  const whole = {
    ...config,
    root,
    ...Object.fromEntries([...files, ...sockets]),
  };
  checkSocketPaths(whole);
  return whole;
}

/** The settings that were given as flags. */
function settingsOf(words: Words): GivenConfig {
  const given: GivenConfig = {};
  for (const key of FLAG_KEYS) {
    const { name, isSwitch } = SETTINGS[key];
    for (const { text, source } of words.written(name)) {
      readSetting(given, key, { text: isSwitch ? "true" : text, source });
    }
  }
  return given;
}

/** An id that stays the same over a boot would be worse than none. */
function bootIdOf(words: Words): string | undefined {
  const text = words.text("boot-id");
  if (text === undefined) return undefined;
  const bootId = parseBootId(text);
  if (bootId !== undefined) return bootId;
  throw new StartError(
    2,
    `--boot-id ${text}: write what /proc/sys/kernel/random/boot_id says, in a ` +
      "unit of systemd %b; or leave it out",
  );
}
