/**
 * `larder.toml`: where the server is, and what is wanted of `larder`, for all who
 * work in a folder and below it.
 *
 * @module
 */

import { readFile, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { addressFault, fixedAddress } from "../client/address.ts";
import { messageOf, StartError } from "../errors.ts";
import { suggest } from "../flags/suggest.ts";
import { parseToml, type TomlTable } from "../toml.ts";
import { isUnixAddress } from "../unix_address.ts";
import { say } from "./output.ts";
import { workingFolder } from "./working_folder.ts";
import type { Option } from "../flags/words.ts";

/** The file's name. */
export const PROJECT_FILE = "larder.toml";
/** What it says for all commands, and the option that each stands for. */
const FOR_ALL: Readonly<Record<string, string>> = {
  remote: "remote",
  local: "local",
  namespace: "ns",
  ca: "ca",
  cert: "cert",
  "cert-key": "cert-key",
  "token-file": "token-file",
  "tls-on": "tls-on",
};
/** Those that are files, beside the one they stand in. */
const FILES = ["ca", "cert", "cert-key", "token-file"];
/** What it says for `larder run`, by the names of its options. */
const FOR_RUN = [
  ...["timeout", "cache-failures", "keep-outs", "read-only", "quiet"],
  ...["no-origin", "key", "env"],
];
const ROOT = 0;

/** Values of options, by their names; a switch has an empty one. */
export type Defaults = ReadonlyMap<string, readonly string[]>;

/**
 * Reads the nearest file, from the working folder upwards.
 *
 * @param command The name of the command.
 * @param options What that knows.
 * @returns What its options are if nobody says otherwise.
 * @throws {StartError} The file says something else than it can.
 */
export async function projectDefaults(
  command: string,
  options: readonly Option[],
): Promise<Defaults> {
  const path = await find();
  if (path === undefined) return new Map();
  const { run = {}, ...rest } = await read(path);
  const defaults = new Map<string, readonly string[]>();
  for (const [name, value] of Object.entries(rest)) {
    const option = FOR_ALL[name];
    if (option === undefined) {
      throw unknown(path, name, [...Object.keys(FOR_ALL), "run"]);
    }
    if (typeof value !== "string") throw mistake(path, name, ": not a text");
    if (options.some((each) => each.name === option)) {
      defaults.set(option, [placed(name, value, dirname(path))]);
    }
  }
  if (typeof run !== "object" || run === null || Array.isArray(run)) {
    throw mistake(path, "run", ": not a table, as of [run]");
  }
  for (const [name, value] of Object.entries(run)) {
    if (!FOR_RUN.includes(name)) {
      throw unknown(path, name, FOR_RUN, "run.");
    }
    const values = valuesOf(path, name, value);
    if (command === "run" && values) defaults.set(name, values);
  }
  return defaults;
}

/** Files and sockets are beside the one they stand in. */
function placed(name: string, value: string, folder: string): string {
  if (FILES.includes(name)) {
    return value === "system" ? value : resolve(folder, value);
  }
  const isSocket = isUnixAddress(value) && addressFault(value) === undefined;
  return isSocket ? fixedAddress(value, folder) : value;
}

/** Those of an option of `larder run`; `undefined`: a switch that is off. */
function valuesOf(
  path: string,
  name: string,
  value: unknown,
): readonly string[] | undefined {
  if (name === "key" || name === "env") {
    const values = Array.isArray(value) ? value : [value];
    if (values.every((each) => typeof each === "string")) return values;
    throw mistake(path, `run.${name}`, ": not a list of texts");
  }
  if (name === "timeout") {
    if (typeof value === "string") return [value];
    throw mistake(path, "run.timeout", ': not a text, as "5m"');
  }
  if (typeof value !== "boolean") {
    throw mistake(path, `run.${name}`, ": neither true nor false");
  }
  return value ? [""] : undefined;
}

async function find(): Promise<string | undefined> {
  const begin = workingFolder();
  if (begin === undefined) return undefined;
  for (let folder = begin;; folder = dirname(folder)) {
    const path = join(folder, PROJECT_FILE);
    const info = await stat(path).catch(() => undefined);
    if (info && !info.isFile()) say(`${path} is no file, and not used`);
    if (info?.isFile()) {
      // In /tmp, anybody could send us to a server of their own.
      const uid = process.getuid?.();
      if (uid === undefined || info.uid === uid || info.uid === ROOT) {
        return path;
      }
      say(`${path} is somebody else's, and not used`);
      return undefined;
    }
    if (dirname(folder) === folder) return undefined;
  }
}

async function read(path: string): Promise<TomlTable> {
  try {
    return parseToml(await readFile(path, "utf8"));
  } catch (error) {
    throw new StartError(2, `${path}: ${messageOf(error)}`);
  }
}

/** Not all options may be written into the file, so that --help is of no help. */
function unknown(
  path: string,
  name: string,
  known: readonly string[],
  table = "",
): StartError {
  const all = known.map((each) => table + each).join(", ");
  const why = suggest(name, known, `no such setting; there are ${all}`);
  return mistake(path, table + name, why);
}

function mistake(path: string, name: string, why: string): StartError {
  return new StartError(2, `${path}: ${name}${why}`);
}
