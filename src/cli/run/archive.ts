/**
 * What `larder run` keeps: a pax tar. Its entries are a manifest, then stdout,
 * stderr, and each out by its number, for names are whatever people write:
 *
 * ```
 * larder-run.json   {"larder_run":3,"exit_code":0,"outs":["ring.raw","latest","build/"],
 *                    "made":{"command":"make","folder":"/chip","host":"lab7",…}}
 * stdout
 * stderr
 * outs/0            a file
 * outs/1            a link
 * outs/2/           a folder
 * outs/2/sub/       what is in it: folders before their files
 * outs/2/sub/x.o
 * ```
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { type Origin, originJson, readOrigin } from "./origin.ts";

/** The name of the manifest's entry, which is the first one. */
export const MANIFEST = "larder-run.json";
/** The entries of what the command said. */
export const STDOUT = "stdout";
export const STDERR = "stderr";
const OUTS = "outs";
const VERSION = 3;
/** What an entry's name may have in one of its parts, as on file systems. */
const MAX_PART_BYTES = 255;
/** The names of the outs were words of a command line, which has 6 MiB at most. */
export const MAX_MANIFEST_BYTES: number = 16 * 1024 * 1024;

/** What the archive holds. */
export interface Manifest {
  /** What the command ended with. */
  readonly exitCode: number;
  /** The outs, as they were named; `outs/0` is the first one. */
  readonly outs: readonly string[];
  /** Which run it was; `undefined`: that is not told. */
  readonly origin?: Origin | undefined;
}

/** The archive is none that `larder run` makes. */
export class Malformed extends Error {
  /** The message says what is wrong with it. */
  constructor(what: string) {
    super(`what is kept is no output of larder run: ${what}`);
  }
}

/**
 * The bytes of a manifest.
 *
 * @throws It would be too large to be read.
 */
export function writeManifest(
  { exitCode, outs, origin }: Manifest,
): Uint8Array {
  const text = JSON.stringify({
    ...{ larder_run: VERSION, exit_code: exitCode, outs },
    ...origin && { made: originJson(origin) },
  });
  const bytes = new TextEncoder().encode(`${text}\n`);
  if (bytes.length > MAX_MANIFEST_BYTES) {
    throw new Error("the names of the outs are too long to be kept");
  }
  return bytes;
}

/**
 * Reads a manifest.
 *
 * @throws {Malformed} It is none.
 */
export function readManifest(bytes: Uint8Array): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new Malformed("its manifest is not JSON");
  }
  const { larder_run, exit_code, outs, made } = Object(value) as {
    readonly [name: string]: unknown;
  };
  const isSound = larder_run === VERSION && isExitCode(exit_code) &&
    Array.isArray(outs) && outs.every((name) => typeof name === "string");
  if (!isSound) throw new Malformed("its manifest says something else");
  return { exitCode: exit_code as number, outs, origin: readOrigin(made) };
}

/** The name of an out's entry, or of something in it. */
export function outEntry(index: number, below?: string): string {
  return below === undefined ? `${OUTS}/${index}` : `${OUTS}/${index}/${below}`;
}

/** What of the outs an entry is. */
export interface Member {
  /** The number of the out. */
  readonly index: number;
  /** Its name in an out of many files; `undefined`: the out itself. */
  readonly below: string | undefined;
}

/**
 * What an entry is. Every part of its name is looked at: it comes from anybody
 * who can reach the server.
 *
 * @param name The entry's name, without a folder's slash at its end.
 * @param count How many outs there are.
 * @throws {Malformed} It is no name that {@linkcode outEntry} gives.
 */
export function memberOf(name: string, count: number): Member {
  for (const part of name.split("/")) {
    const isSafe = part !== "" && part !== "." && part !== ".." &&
      !part.includes("\0") && Buffer.byteLength(part) <= MAX_PART_BYTES;
    if (!isSafe) throw new Malformed(`it holds ${JSON.stringify(name)}`);
  }
  const [folder, number = "", ...more] = name.split("/");
  const index = /^(?:0|[1-9]\d{0,8})$/.test(number) ? Number(number) : count;
  if (folder !== OUTS || index >= count) {
    throw new Malformed(`it holds ${JSON.stringify(name)}`);
  }
  return { index, below: more.length === 0 ? undefined : more.join("/") };
}

function isExitCode(value: unknown): boolean {
  return Number.isInteger(value) && value as number >= 0 &&
    value as number <= 255;
}
