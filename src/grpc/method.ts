/**
 * A method: its name, its kind and its messages.
 *
 * @module
 */

/** What the server has to know of a method beside its handler. */
export interface Method<Request, Response> {
  /** `/remote.RemoteCache/Get`. */
  readonly path: string;
  /** Whether a call can have many requests. */
  readonly requestStream: boolean;
  /** Whether a call can have many replies. */
  readonly responseStream: boolean;
  /**
   * Reads a request. `owned`: the buffer is this message's alone and may be kept
   * or transferred; otherwise the bytes are valid only until this returns.
   * Throws a `StatusError` for what is malformed.
   */
  readonly decode: (bytes: Uint8Array, owned: boolean) => Request;
  /**
   * The parts of a reply, without a prefix. They are sent by reference and must
   * not change while they are on their way.
   */
  readonly encode: (response: Response) => readonly Uint8Array[];
  /**
   * What a call gets whose caller has as many under way as they may: `passes`:
   * it does not count; a message: that, and OK; absent: RESOURCE_EXHAUSTED.
   */
  readonly overLimit?: "passes" | readonly Uint8Array[];
}
