/**
 * Where an output comes from. It is noted in what is kept, for people: `stat`
 * and `--dry-run` show it.
 *
 * @module
 */

import { hostname } from "node:os";
import { workingFolder } from "../working_folder.ts";
import { shellLine } from "../../launch/shell_line.ts";

/** Of a longer command the rest is of no use to people. */
const MAX_LENGTH = 1_000;

/** Which run it was. */
export interface Origin {
  /** As one would write it in a shell; cut off where it is long. */
  readonly command: string;
  /** The working folder. */
  readonly folder: string;
  readonly host: string;
  /** When it had ended: milliseconds since 1970, by its own clock. */
  readonly atMs: number;
  /** What it took, in milliseconds. */
  readonly tookMs: number;
}

/** That of a command which has just ended here. */
export function originHere(
  command: readonly string[],
  tookMs: number,
): Origin {
  return {
    command: clipped(shellLine(command)),
    // The command may have removed it.
    folder: clipped(workingFolder() ?? ""),
    host: hostname(),
    atMs: Date.now(),
    tookMs: Math.round(tookMs),
  };
}

/** As it is kept. */
export function originJson(
  { command, folder, host, atMs, tookMs }: Origin,
): Record<string, unknown> {
  return { command, folder, host, at_ms: atMs, took_ms: tookMs };
}

/**
 * What somebody has noted. Nothing of it is believed: it is cut off, and what a
 * terminal would not show but do is left out.
 *
 * @returns `undefined`: it is no such note.
 */
export function readOrigin(value: unknown): Origin | undefined {
  const { command, folder, host, at_ms: atMs, took_ms: tookMs } = Object(
    value,
  ) as Readonly<Record<string, unknown>>;
  const isSound = isText(command) && isText(folder) && isText(host) &&
    isTime(atMs) && isTime(tookMs);
  if (!isSound) return undefined;
  return {
    command: shown(command),
    folder: shown(folder),
    host: shown(host),
    atMs,
    tookMs,
  };
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && value as number >= 0;
}

function shown(text: string): string {
  return clipped(text).replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, " ");
}

function clipped(text: string): string {
  return text.length <= MAX_LENGTH ? text : `${text.slice(0, MAX_LENGTH)}…`;
}
