/**
 * TOML, behind one file, so that another library can take its place.
 *
 * @module
 */

import { parse, stringify } from "smol-toml";
import { messageOf } from "./errors.ts";

/** A value a TOML document can hold; integers are read as numbers or bigints. */
export type TomlTable = { readonly [key: string]: unknown };

/** Whether a value of a document is a table. */
export function isTable(value: unknown): value is TomlTable {
  return typeof value === "object" && value !== null &&
    !Array.isArray(value) && !(value instanceof Date);
}

/**
 * Reads a TOML document.
 *
 * @param text The document.
 * @returns Its top-level table.
 * @throws {SyntaxError} With one line that names the place of the mistake.
 */
export function parseToml(text: string): TomlTable {
  try {
    return parse(text, { integersAsBigInt: "asNeeded" });
  } catch (error) {
    // The library's message goes on with a drawing of the place.
    const [reason = ""] = messageOf(error)
      .replace(/^Invalid TOML document: /, "").split("\n");
    const at = error as { line?: unknown; column?: unknown };
    const place = typeof at.line === "number"
      ? ` (line ${at.line}, column ${at.column})`
      : "";
    throw new SyntaxError(`${reason}${place}`, { cause: error });
  }
}

/**
 * Writes a TOML document; whole numbers become integers.
 *
 * @param table Its top-level table; keys whose value is undefined are left out.
 * @returns The document.
 */
export function stringifyToml(table: TomlTable): string {
  return stringify(table);
}
