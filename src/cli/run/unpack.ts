/**
 * Reads archives, as a stream. They are foreign input: anybody who can reach the
 * server can have written one.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createTarDecoder, type ParsedTarEntry } from "modern-tar";
import { messageOf } from "../../errors.ts";
import { OK } from "../exit_codes.ts";
import { Members } from "./members.ts";
import { insideAt } from "./inside.ts";
import {
  Malformed,
  MANIFEST,
  type Manifest,
  MAX_MANIFEST_BYTES,
  type Member,
  readManifest,
  STDERR,
  STDOUT,
} from "./archive.ts";

/** What an archive holds beside its manifest. */
export type Unpacked =
  | {
    readonly kind: "said";
    readonly name: typeof STDOUT | typeof STDERR;
    readonly pieces: AsyncIterable<Uint8Array>;
  }
  | UnpackedOut;

/** What it holds of the outs. */
export type UnpackedOut =
  & Member
  & (
    | {
      readonly kind: "file";
      readonly mode: number;
      /** How many bytes follow. */
      readonly size: number;
      readonly pieces: AsyncIterable<Uint8Array>;
    }
    | {
      readonly kind: "link";
      /** What it says: a way to something of the outs. */
      readonly target: string;
    }
    | { readonly kind: "folder"; readonly mode: number }
  );

/** Who may do what with a file; never whose rights it runs with. */
const PERMISSION_BITS = 0o777;

/** An archive on its way. */
export class Unpacking {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #outs: readonly string[];
  #sourceFailure: { readonly error: unknown } | undefined;
  #exitCode: number | undefined;

  /**
   * @param source What is kept, piece by piece.
   * @param outs The files that may be written, as they were named.
   */
  constructor(source: AsyncIterable<Uint8Array>, outs: readonly string[]) {
    this.#source = source[Symbol.asyncIterator]();
    this.#outs = outs;
  }

  /** What the command ended with; call it when the entries have been read. */
  get exitCode(): number {
    if (this.#exitCode === undefined) throw new Error("it is not read yet");
    return this.#exitCode;
  }

  /**
   * Reads what is left: only at the end of all of it does the client library
   * know that these are the bytes that are kept.
   *
   * @throws What the source has thrown.
   */
  async drain(): Promise<void> {
    while (await this.#piece() !== undefined);
  }

  /**
   * What it holds. Read each to its end before the next one.
   *
   * @throws {Malformed} It is none of ours.
   * @throws What the source has thrown.
   */
  async *entries(): AsyncGenerator<Unpacked, void, undefined> {
    const decoder = createTarDecoder({ strict: true });
    const fed = this.#feed(decoder.writable.getWriter());
    const reader = decoder.readable.getReader();
    try {
      yield* this.#read(async () => {
        try {
          return (await reader.read()).value;
        } catch (error) {
          throw this.#reasonOf(error);
        }
      });
    } catch (error) {
      reader.cancel().catch(() => {});
      if (error instanceof Malformed) await fed;
      throw error;
    } finally {
      reader.cancel().catch(() => {});
    }
  }

  async *#read(
    next: () => Promise<ParsedTarEntry | undefined>,
  ): AsyncGenerator<Unpacked, void, undefined> {
    const { exitCode, outs } = await this.#manifest(await next());
    if (JSON.stringify(outs) !== JSON.stringify(this.#outs)) {
      throw new Malformed("its outs are others");
    }
    for (const name of [STDOUT, STDERR] as const) {
      const pieces = this.#body(fileNamed(name, await next()));
      yield { kind: "said", name, pieces };
    }
    const members = new Members(outs);
    for (let each = await next(); each; each = await next()) {
      yield this.#out(each, members);
    }
    // What failed need not have come that far.
    if (exitCode === OK) members.checkComplete();
    this.#exitCode = exitCode;
  }

  async #manifest(entry: ParsedTarEntry | undefined): Promise<Manifest> {
    const found = fileNamed(MANIFEST, entry);
    if (found.header.size > MAX_MANIFEST_BYTES) {
      throw new Malformed("its manifest is too large");
    }
    const pieces: Uint8Array[] = [];
    for await (const piece of this.#body(found)) pieces.push(piece);
    return readManifest(Buffer.concat(pieces));
  }

  #out(entry: ParsedTarEntry, members: Members): UnpackedOut {
    const { type, linkname = "", mode: bits = 0, name, size } = entry.header;
    const mode = bits & PERMISSION_BITS;
    if (type === "directory") {
      const member = members.add(name.replace(/\/$/, ""), "folder");
      return { kind: "folder", ...member, mode };
    }
    if (type === "file") {
      const member = members.add(name, "file");
      return { kind: "file", ...member, mode, size, pieces: this.#body(entry) };
    }
    if (type !== "symlink") throw new Malformed(`${name} is a ${type}`);
    const member = members.add(name, "link");
    const at = members.nameOf(member);
    if (insideAt(at, linkname, this.#outs) === undefined) {
      throw new Malformed(`${name} is a link that leads to no out`);
    }
    return { kind: "link", ...member, target: linkname };
  }

  async *#body({ body }: ParsedTarEntry): AsyncGenerator<Uint8Array> {
    try {
      yield* body;
    } catch (error) {
      throw this.#reasonOf(error);
    }
  }

  /** Gives the decoder all there is; it tells whoever reads what is wrong. */
  async #feed(writer: WritableStreamDefaultWriter<Uint8Array>): Promise<void> {
    writer.closed.catch(() => {});
    try {
      for (;;) {
        const piece = await this.#piece();
        if (piece === undefined) return await writer.close();
        await writer.write(piece);
      }
    } catch (error) {
      await writer.abort(error).catch(() => {});
    }
  }

  async #piece(): Promise<Uint8Array | undefined> {
    try {
      const { value, done } = await this.#source.next();
      return done ? undefined : value;
    } catch (error) {
      this.#sourceFailure = { error };
      throw error;
    }
  }

  /** Of what the decoder has thrown: that of the source, or of the archive. */
  #reasonOf(error: unknown): unknown {
    if (this.#sourceFailure) return this.#sourceFailure.error;
    return error instanceof Malformed ? error : new Malformed(messageOf(error));
  }
}

function fileNamed(
  name: string,
  entry: ParsedTarEntry | undefined,
): ParsedTarEntry {
  if (entry?.header.name === name && entry.header.type === "file") return entry;
  throw new Malformed(`it has no ${name}`);
}
