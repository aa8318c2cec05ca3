/**
 * The command line: from words to what is to be done.
 *
 * @module
 */

import { isAbsolute, resolve } from "node:path";
import { parseArgs } from "node:util";
import {
  completeConfig,
  type Config,
  CONFIG_KEYS,
  type GivenConfig,
  readSetting,
} from "../config.ts";
import { StartError } from "../errors.ts";
import { DEFAULT_ROOT } from "../limits.ts";
import { parseBootId } from "./boot_id.ts";
import { readConfigFile } from "./config_file.ts";
import { isUnix } from "../config/address.ts";
import { refuseInherited } from "../config/inherited.ts";
import { FILE_KEYS, SETTINGS } from "../config/settings.ts";
import { checkSocketPaths } from "../config/sockets.ts";
import { suggest } from "./suggest.ts";

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

/** Flags without a value, beside those of the table of settings. */
const SWITCHES = [
  "help",
  "version",
  "print-command",
  "confined",
  "supervised",
  "force",
] as const;

/** The value flags: those of the table, and the file that holds more of them. */
const FLAG_KEYS = CONFIG_KEYS.filter((key) => key !== "root");

type ArgsOptions = Record<
  string,
  { type: "string" | "boolean"; short?: string }
>;

const OPTIONS: ArgsOptions = {
  config: { type: "string" },
  "boot-id": { type: "string" },
  ...Object.fromEntries(SWITCHES.map((name) => [name, { type: "boolean" }])),
  ...Object.fromEntries(FLAG_KEYS.map((key) => {
    const { name, short, isSwitch } = SETTINGS[key];
    const type = isSwitch ? "boolean" : "string";
    return [name, { type, ...(short ? { short } : {}) }];
  })),
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "V" },
};

const VISIBLE_FLAGS = Object.keys(OPTIONS)
  .filter((name) => name !== "supervised")
  .map((name) => `--${name}`);

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
  const words = tokenize(args);
  if (words.switches.has("help")) return { kind: "help" };
  if (words.switches.has("version")) return { kind: "version" };
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
  if (command === "recover") return toRecover(words, workingFolder);
  if (words.switches.has("force")) {
    throw new StartError(2, "--force is a flag of larder recover");
  }
  const confined = words.switches.has("confined");
  const supervised = words.switches.has("supervised");
  if (confined && words.configFile !== undefined) {
    throw new StartError(
      2,
      "--confined reads no --config: use what --print-command prints",
    );
  }
  if (!confined && words.bootId !== undefined) {
    throw new StartError(2, "--boot-id is a flag of larder serve --confined");
  }
  const given = words.configFile === undefined
    ? {}
    : await readConfigFile(resolve(workingFolder(), words.configFile));
  Object.assign(given, words.given);
  if (root !== undefined) {
    readSetting(given, "root", { text: root, source: "ROOT" });
  }
  const config = withAbsolutePaths(completeConfig(given), (name) => {
    if (!confined) return workingFolder();
    throw new StartError(2, `--confined needs ${name} as an absolute path`);
  });
  if (confined) {
    const { bootId } = words;
    return {
      kind: "confined",
      config,
      supervised,
      ...bootId !== undefined && { bootId },
    };
  }
  if (words.switches.has("print-command")) {
    return { kind: "print-command", config };
  }
  refuseInherited(config);
  return { kind: "launch", config, supervised };
}

/** Nothing is served: a flag that says how is a misunderstanding. */
function toRecover(words: Words, workingFolder: () => string): Invocation {
  const { switches, given, configFile, bootId } = words;
  const others = [...switches].filter((name) => name !== "force");
  const settings = [
    ...Object.keys(given),
    ...configFile ? ["config"] : [],
    ...bootId ? ["boot-id"] : [],
  ];
  if (others.length + settings.length > 0) {
    throw new StartError(2, "larder recover takes ROOT and --force only");
  }
  const root = words.positionals[1] ?? DEFAULT_ROOT;
  return {
    kind: "recover",
    root: isAbsolute(root) ? resolve(root) : resolve(workingFolder(), root),
    force: switches.has("force"),
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

interface Words {
  readonly positionals: readonly string[];
  readonly switches: ReadonlySet<string>;
  readonly given: GivenConfig;
  readonly configFile: string | undefined;
  readonly bootId: string | undefined;
}

function tokenize(args: readonly string[]): Words {
  const { tokens } = parseArgs({
    args: [...args],
    options: OPTIONS,
    allowPositionals: true,
    // Its own errors run over several lines.
    strict: false,
    tokens: true,
  });
  const positionals: string[] = [];
  const switches = new Set<string>();
  const given: GivenConfig = {};
  let configFile: string | undefined;
  let bootId: string | undefined;
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const { name, rawName } = token;
    const option = Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined;
    if (!option) {
      throw new StartError(
        2,
        `unknown flag ${rawName}${suggest(rawName, VISIBLE_FLAGS)}`,
      );
    }
    if (option.type === "boolean") {
      if (token.value !== undefined) {
        throw new StartError(2, `${rawName} takes no value`);
      }
    }
    const key = FLAG_KEYS.find((key) => SETTINGS[key].name === name);
    if (option.type === "boolean" && !key) {
      switches.add(name);
      continue;
    }
    const text = option.type === "boolean" ? "true" : valueOf(token);
    if (name === "config") configFile = text;
    if (name === "boot-id") bootId = readBootId(text);
    if (key) readSetting(given, key, { text, source: rawName });
  }
  return { positionals, switches, given, configFile, bootId };
}

/** An id that stays the same over a boot would be worse than none. */
function readBootId(text: string): string {
  const bootId = parseBootId(text);
  if (bootId !== undefined) return bootId;
  throw new StartError(
    2,
    `--boot-id ${text}: write what /proc/sys/kernel/random/boot_id says, in a ` +
      "unit of systemd %b; or leave it out",
  );
}

function valueOf(
  token: {
    readonly rawName: string;
    readonly value?: string | undefined;
    readonly inlineValue?: boolean | undefined;
  },
): string {
  const { rawName, value, inlineValue } = token;
  // "-l -r off": the next flag is not a value; "-1" is one, if a wrong one.
  const isFlag = !inlineValue && value !== undefined && /^-[^\d]/.test(value);
  if (value === undefined || isFlag) {
    throw new StartError(2, `${rawName} needs a value: --help shows which`);
  }
  // "-l=ADDR" is what people write who know "--local=ADDR".
  return inlineValue && !rawName.startsWith("--")
    ? value.replace(/^=/, "")
    : value;
}
