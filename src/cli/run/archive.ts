/**
 * What `larder run` keeps, as one stream of bytes: a line of JSON that says what
 * follows, then stdout, stderr, and each file.
 *
 * @module
 */

import { createReadStream } from "node:fs";

/** A line that says what follows is not longer. */
const MAX_HEADER_BYTES = 1024 * 1024;

/** A file that the command wrote. */
export interface FileHeader {
  /** As it was named with `--out`. */
  readonly path: string;
  /** Its permission bits. */
  readonly mode: number;
  /** In bytes. */
  readonly size: number;
}

/** The line of JSON. */
export interface Header {
  /** 1. */
  readonly larder_run: 1;
  /** What the command ended with. */
  readonly exit_code: number;
  /** Bytes of stdout. */
  readonly stdout: number;
  /** Bytes of stderr. */
  readonly stderr: number;
  /** The files, in the order of their bytes. */
  readonly files: readonly FileHeader[];
}

/** A part of an archive that lies in a file. */
export interface Part {
  /** Where it lies. */
  readonly path: string;
  /** So many bytes of it. */
  readonly size: number;
}

/** The line that an archive begins with. */
export function headerLine(header: Header): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(header)}\n`);
}

/**
 * An archive, piece by piece.
 *
 * @param line The line that says what the parts are.
 * @param parts Files that hold them.
 */
export async function* archive(
  line: Uint8Array,
  parts: readonly Part[],
): AsyncGenerator<Uint8Array, void, undefined> {
  yield line;
  for (const { path, size } of parts) {
    if (size === 0) continue;
    let read = 0;
    for await (const piece of createReadStream(path, { end: size - 1 })) {
      read += piece.length;
      yield piece;
    }
    if (read !== size) throw new Error(`${path} has changed meanwhile`);
  }
}

/** What is kept is of no use to anybody who runs the same. */
export class NoOutput extends Error {}

/** Reads an archive, from its beginning to its end. */
export class ArchiveReader {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  /** Reads from pieces, of whatever sizes. */
  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /**
   * The header; call it first.
   *
   * @throws {NoOutput} It is none.
   */
  async header(): Promise<Header> {
    let line = new Uint8Array(0);
    for (;;) {
      if (!await this.#fill() || line.length > MAX_HEADER_BYTES) {
        throw new NoOutput("what is kept is no output of larder run");
      }
      const end = this.#rest.indexOf("\n".charCodeAt(0));
      const taken = this.#take(end < 0 ? this.#rest.length : end + 1);
      const longer = new Uint8Array(line.length + taken.length);
      longer.set(line);
      longer.set(taken, line.length);
      line = longer;
      if (end >= 0) return asHeader(new TextDecoder().decode(line));
    }
  }

  /** The next part; read it to its end. */
  async *part(size: number): AsyncGenerator<Uint8Array, void, undefined> {
    for (let left = size; left > 0;) {
      if (!await this.#fill()) throw new NoOutput("what is kept is cut short");
      const piece = this.#take(Math.min(left, this.#rest.length));
      left -= piece.length;
      yield piece;
    }
  }

  async #fill(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const { value, done } = await this.#pieces.next();
      if (done) return false;
      this.#rest = value;
    }
    return true;
  }

  #take(length: number): Uint8Array {
    const taken = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return taken;
  }
}

/** It may come from anybody who can reach the server. */
function asHeader(line: string): Header {
  try {
    const header: Header = JSON.parse(line);
    const { larder_run, exit_code, stdout, stderr, files } = header;
    const isSound = larder_run === 1 &&
      [exit_code, stdout, stderr].every(isCount) &&
      files.every(({ path, mode, size }) =>
        typeof path === "string" && isCount(mode) && isCount(size)
      );
    if (isSound) return header;
  } catch {
    // The same as one that says something else.
  }
  throw new NoOutput("what is kept is no output of larder run");
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
