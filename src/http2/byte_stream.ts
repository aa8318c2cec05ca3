/**
 * What a connection stands on: TCP, TLS, a Unix socket, a pipe in memory.
 *
 * @module
 */

/** A two-way stream of bytes. `Deno.Conn` is one. */
export interface ByteStream {
  /**
   * Reads some bytes; `null`: there are no more. The buffer is the stream's until
   * it settles.
   */
  read(into: Uint8Array): Promise<number | null>;
  /** Writes some bytes; the buffer is the stream's until it settles. */
  write(bytes: Uint8Array): Promise<number>;
  /** Says that nothing more is written. */
  closeWrite(): Promise<void>;
  /** Ends reads and writes that are under way, and closes the stream. */
  close(): void;
}
