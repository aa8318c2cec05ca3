/**
 * Values on their way: pieces, progress, and putting them together.
 *
 * @module
 */

import type { Body, Pieces } from "./backend.ts";
import { CacheError } from "./cache_error.ts";
import { shown } from "./checked_options.ts";
import type { EndSignal } from "./ending.ts";
import { LinkedSignal } from "./linked_signal.ts";
import { unlessStoredError } from "./stored_error.ts";

/** How far a transfer is. */
export interface Progress {
  /** Whether the value comes or goes. */
  readonly direction: "in" | "out";
  /** Bytes until now. */
  readonly done: number;
  /** Bytes of the whole value; `undefined`: nobody knows yet. */
  readonly total: number | undefined;
}

/** Told of a transfer whenever a piece has moved. */
export type OnProgress = (progress: Progress) => void;

/** What can be read once. */
export type OnceReadable =
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>;

/**
 * What a value can be given as: at once, or in pieces; or as a function that
 * gives the same pieces each time it is called, such as those of a file, so that
 * they can be sent again when the connection breaks.
 */
export type Source = Uint8Array | OnceReadable | (() => OnceReadable);

/** Larger pieces are cut: a message must stay well below every limit. */
const PIECE_BYTES = 256 * 1024;

/** The pieces of a value, none of them large. */
export async function* eachPiece(
  value: Source | Pieces,
): AsyncGenerator<Uint8Array, void, undefined> {
  const pieces: unknown = typeof value === "function" ? value() : value;
  checkSource(pieces);
  if (pieces instanceof Uint8Array) return yield* cut(pieces);
  for await (const piece of pieces as AsyncIterable<Uint8Array>) {
    if (!(piece instanceof Uint8Array)) throw notBytes("each piece", piece);
    yield* cut(piece);
  }
}

/**
 * Throws unless bytes can be read of it, as far as that can be seen.
 *
 * @throws {TypeError} Says what can be given.
 */
export function checkSource(value: unknown): asserts value is Source {
  if (value instanceof Uint8Array || typeof value === "function") return;
  const isIterable = typeof value === "object" && value !== null &&
    (Symbol.asyncIterator in value || Symbol.iterator in value);
  if (!isIterable) throw notBytes("a stream", value);
}

/** Whether it can be read from its begin again, as what is in memory can. */
export function isReadAnew(source: unknown): boolean {
  return source instanceof Uint8Array || Array.isArray(source) ||
    typeof source === "function";
}

function notBytes(what: string, value: unknown): TypeError {
  const advice = typeof value === "string"
    ? "new TextEncoder().encode(text) makes bytes of a text"
    : "use set and generate for values";
  return new TypeError(
    `${what} must be bytes: a Uint8Array, or a stream or an iterable of ` +
      `them, or a function that gives one, not ${shown(value)}; ${advice}`,
  );
}

/** A value as a stream that nobody else reads. */
export function asStream(source: Source): ReadableStream<Uint8Array> {
  const pieces = typeof source === "function" ? source() : source;
  checkSource(pieces);
  return pieces instanceof ReadableStream
    ? pieces
    : ReadableStream.from(eachPiece(pieces));
}

function* cut(piece: Uint8Array): Generator<Uint8Array, void, undefined> {
  for (let at = 0; at < piece.length; at += PIECE_BYTES) {
    yield piece.subarray(at, at + PIECE_BYTES);
  }
}

/** What becomes of a value on its way. */
export interface TransferEvents {
  /** Told when a piece has moved. */
  readonly onProgress?: OnProgress | undefined;
  /** Ends it. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The same pieces; `onProgress` hears of each when the next is asked for. Throws
 * the signal's reason between two.
 */
export async function* counted(
  pieces: AsyncIterable<Uint8Array>,
  { direction, total, signal }: Omit<Progress, "done"> & {
    readonly signal?: EndSignal | undefined;
  },
  onProgress: OnProgress | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  let done = 0;
  for await (const piece of pieces) {
    signal?.throwIfAborted();
    yield piece;
    done += piece.length;
    onProgress?.({ direction, done, total });
  }
}

/** A whole value in memory. Releases the body. */
export async function collect(
  body: Body,
  { onProgress, signal }: TransferEvents = {},
): Promise<Uint8Array> {
  const { whole, size } = body;
  if (whole) {
    signal?.throwIfAborted();
    onProgress?.({ direction: "in", done: size, total: size });
    await body.release();
    // It may be a part of a message, or what others keep.
    return new Uint8Array(whole);
  }
  // A piece that is waited for may never come.
  const stop = () => void body.release();
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const value = new Uint8Array(body.size);
    let at = 0;
    const about = { direction: "in", total: body.size, signal } as const;
    for await (const piece of counted(body.chunks(), about, onProgress)) {
      value.set(piece, at);
      at += piece.length;
    }
    if (at !== body.size) throw cutShort(at, body.size);
    return value;
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener("abort", stop);
    await body.release();
  }
}

/**
 * A value as a stream, which releases the body at its end.
 *
 * @param body The value.
 * @param onProgress Told of its pieces.
 * @param signals What ends it, beside its end.
 */
export function streamOf(
  body: Body,
  onProgress: OnProgress | undefined,
  ...signals: readonly (EndSignal | undefined)[]
): ReadableStream<Uint8Array> {
  const ended = new LinkedSignal(...signals);
  const { signal } = ended;
  const about = { direction: "in", total: body.size, signal } as const;
  const pieces = unlessStoredError(counted(body.chunks(), about, onProgress));
  const release = async () => {
    ended[Symbol.dispose]();
    await body.release();
  };
  signal.addEventListener("abort", () => void release(), { once: true });
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { value, done } = await pieces.next();
        if (!done) return controller.enqueue(value);
        await release();
        controller.close();
      } catch (error) {
        await release();
        throw signal.aborted ? signal.reason : error;
      }
    },
    async cancel() {
      const returned = pieces.return();
      // A piece that is waited for may never come.
      await release();
      await returned;
    },
  }, { highWaterMark: 0 });
}

function cutShort(bytes: number, size: number): CacheError {
  return new CacheError(
    "failed",
    `the value ended after ${bytes} of ${size} bytes: ask for it again`,
  );
}

/** A body that is in memory already. */
export function bytesBody(value: Uint8Array): Body {
  return {
    size: value.length,
    whole: value,
    chunks: () => eachPiece(value),
    release: () => Promise.resolve(),
  };
}
