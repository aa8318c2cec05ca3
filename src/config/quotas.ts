/**
 * Quotas and what has to stay free, as people write them.
 *
 * @module
 */

import { formatByteSize, parseByteSize } from "./byte_size.ts";

/** What the values of some namespaces may take. */
export interface Quota {
  /** `*` for all, `a.*` for everything below `a`, or one namespace. */
  readonly pattern: string;
  /** In bytes of values. */
  readonly maxBytes: number;
}

/** What has to stay free on the disk: bytes, or a share of it in percent. */
export type MinFree = { readonly bytes: number } | { readonly percent: number };

/** A namespace, with `*` for its last part, or `*` alone. */
const PATTERN = /^(\*|([A-Za-z_][A-Za-z0-9_]*\.)*([A-Za-z_][A-Za-z0-9_]*|\*))$/;
/** Nobody counts so few bytes one by one; but 0 asks for nothing to be kept free. */
const MIN_PLAIN_BYTES = 2 ** 20;
const PERCENT = /^(\d+(\.\d+)?)%$/;

/**
 * Reads `sim.*=20GiB, synth.place=5GiB`.
 *
 * @param text Pairs of a pattern and a size, separated by commas; may be empty.
 * @returns The quotas, in the order written.
 * @throws {RangeError} When it is not written like that.
 */
export function parseQuotas(text: string): readonly Quota[] {
  const quotas = new Map<string, Quota>();
  for (const pair of text.split(",").map((each) => each.trim())) {
    if (pair === "") continue;
    const [pattern = "", size, ...rest] = pair.split("=").map((each) =>
      each.trim()
    );
    if (size === undefined || rest.length > 0 || !PATTERN.test(pattern)) {
      throw new RangeError(
        "write namespace=size or namespace.*=size, separated by commas",
      );
    }
    if (quotas.has(pattern)) throw new RangeError(`${pattern} is there twice`);
    const maxBytes = parseByteSize(size);
    if (maxBytes === 0) {
      throw new RangeError(`${pattern}=0 keeps nothing: write a size above 0`);
    }
    quotas.set(pattern, { pattern, maxBytes });
  }
  return [...quotas.values()];
}

/** Writes quotas so that {@linkcode parseQuotas} reads them back. */
export function formatQuotas(quotas: readonly Quota[]): string {
  return quotas.map(({ pattern, maxBytes }) =>
    `${pattern}=${formatByteSize(maxBytes)}`
  ).join(",");
}

/**
 * Reads `5%`, or a size such as `10GiB`.
 *
 * @throws {RangeError} When it is neither, or 100 % and more.
 */
export function parseMinFree(text: string): MinFree {
  const percent = PERCENT.exec(text)?.[1];
  if (percent === undefined) return { bytes: parseFreeBytes(text) };
  if (Number(percent) >= 100) throw new RangeError("write less than 100%");
  return { percent: Number(percent) };
}

/** A plain number so small is a share, or a size, whose unit was forgotten. */
function parseFreeBytes(text: string): number {
  const bytes = parseByteSize(text);
  const number = text.trim();
  const isPlain = /^\d+$/.test(number);
  if (!isPlain || bytes === 0 || bytes >= MIN_PLAIN_BYTES) return bytes;
  const share = bytes < 100 ? `${number}%` : `${number}MiB`;
  throw new RangeError(`${share} or ${number}GiB? Write the unit`);
}

/** Writes what has to stay free so that {@linkcode parseMinFree} reads it back. */
export function formatMinFree(minFree: MinFree): string {
  return "percent" in minFree
    ? `${minFree.percent}%`
    : formatByteSize(minFree.bytes);
}
