/**
 * The TOML file of `--config`: the names of the flags as keys.
 *
 * @module
 */

import { dirname, resolve } from "node:path";
import { CONFIG_KEYS, type GivenConfig, readSetting } from "../config.ts";
import { StartError } from "../errors.ts";
import { SETTINGS } from "../config/settings.ts";
import { suggest } from "./suggest.ts";

/** A configuration is a page of text; what is larger is another file. */
const MAX_CONFIG_FILE_BYTES = 1024 * 1024;

/**
 * Reads a configuration file. A relative `root` in it starts at its folder.
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
    const isScalar = typeof value === "string" || typeof value === "number" ||
      typeof value === "bigint";
    if (!isScalar) {
      throw new StartError(2, `${path}: ${name} must be a string or a number`);
    }
    readSetting(given, key, { text: `${value}`, source: `${path}: ${name}` });
  }
  if (given.root !== undefined) given.root = resolve(dirname(path), given.root);
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
