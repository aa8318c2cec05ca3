/**
 * The TOML file of `--config`: the names of the flags as keys.
 *
 * @module
 */

import { dirname, resolve } from "node:path";
import { CONFIG_KEYS, type GivenConfig, readSetting } from "../config.ts";
import { isUnix } from "../config/address.ts";
import { StartError } from "../errors.ts";
import { FILE_KEYS, SETTINGS } from "../config/settings.ts";
import { suggest } from "../flags/suggest.ts";

/** A configuration is a page of text; what is larger is another file. */
const MAX_CONFIG_FILE_BYTES = 1024 * 1024;

/**
 * Reads a configuration file. Relative paths in it start at its folder.
 *
 * @param path The file.
 * @returns What the file gives.
 * @throws {StartError} When it cannot be read or holds something unknown.
 */
export async function readConfigFile(path: string): Promise<GivenConfig> {
  const table = await parse(path, await read(path));
  const known = CONFIG_KEYS.map((key) => SETTINGS[key].name);
  const given: GivenConfig = {};
  for (const [name, value] of Object.entries(table)) {
    const key = CONFIG_KEYS.find((key) => SETTINGS[key].name === name);
    if (!key) {
      throw new StartError(
        2,
        `${path}: unknown key ${name}${suggest(name, known)}`,
      );
    }
    const { isSwitch } = SETTINGS[key];
    const isScalar = isSwitch
      ? typeof value === "boolean"
      : ["string", "number", "bigint"].includes(typeof value);
    if (!isScalar) {
      const wanted = isSwitch ? "true or false" : "a string or a number";
      throw new StartError(2, `${path}: ${name} must be ${wanted}`);
    }
    readSetting(given, key, { text: `${value}`, source: `${path}: ${name}` });
  }
  for (const key of ["root", ...FILE_KEYS] as const) {
    const written = given[key];
    if (written !== undefined) given[key] = resolve(dirname(path), written);
  }
  for (const key of ["local", "remote"] as const) {
    const address = given[key];
    if (address === undefined || !isUnix(address)) continue;
    given[key] = { path: resolve(dirname(path), address.path) };
  }
  return given;
}

async function read(path: string): Promise<string> {
  try {
    const info = await Deno.stat(path);
    if (!info.isFile || info.size > MAX_CONFIG_FILE_BYTES) {
      throw new Error("not a file of at most 1 MiB");
    }
    return await Deno.readTextFile(path);
  } catch (error) {
    const reason = error instanceof Deno.errors.NotFound
      ? "there is no such file"
      : error instanceof Error
      ? error.message
      : String(error);
    throw new StartError(2, `--config ${path}: ${reason}`, { cause: error });
  }
}

async function parse(
  path: string,
  text: string,
): Promise<Record<string, unknown>> {
  // Loaded only when there is a file: the launcher stays light without it.
  const { parseToml } = await import("../toml.ts");
  try {
    return parseToml(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new StartError(2, `${path}: ${error.message}`, { cause: error });
  }
}
