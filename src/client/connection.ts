/**
 * A server as a tier: what it answers, and the work that is held of it.
 *
 * @module
 */

import { Assignment } from "./assignment.ts";
import { unlessAborted } from "./backoff.ts";
import type {
  AskOptions,
  Backend,
  CallOptions,
  Fetched,
  FetchRequest,
} from "./backend.ts";
import type { TierCatalog } from "./catalog.ts";
import { ConnectionCatalog } from "./connection_catalog.ts";
import { LinkedSignal } from "./linked_signal.ts";
import { LateAnswer } from "./late_answer.ts";
import { checkAssigned } from "./local_files.ts";
import { naming } from "./naming.ts";
import { Server, type ServerOptions } from "./server.ts";
import type { Claim, Tier } from "./tier.ts";

/** A client of one server. */
export class Connection implements Tier {
  readonly name: string;
  readonly catalog: TierCatalog;
  readonly #kind: "local" | "remote";
  readonly #server: Server;
  readonly #held = new Set<Assignment>();

  /** Nothing is sent before the first call. */
  constructor(options: ServerOptions) {
    this.#server = new Server(options);
    this.#kind = options.kind;
    this.name = this.#server.name;
    this.catalog = new ConnectionCatalog(this.#server, this.#server.catalog);
  }

  async ask(
    request: FetchRequest,
    { signal: outer, onWaiting }: CallOptions,
  ): Promise<Claim> {
    outer?.throwIfAborted();
    // Many listen to it, and few are to listen to one of the runtime.
    const signal = new LinkedSignal(outer);
    const bringsNothing = this.#bringsNothing(request);
    const late = new LateAnswer(signal, { bringsNothing });
    const asking = this.#server.call(
      "ask for the value",
      (backend, { signal: ended, onContact }) => {
        late.assertWanted();
        return this.#attempt(backend, request, {
          signal: ended,
          wanted: signal,
          onWaiting,
          onContact: () => {
            late.isWaiting();
            onContact?.();
          },
        });
      },
      { signal: late.signal, wanted: signal },
    ).then((fetched) => this.#claimed(fetched));
    const giving = late.giveBack(asking).finally(() =>
      signal[Symbol.dispose]()
    );
    this.#server.closeAfter(giving);
    return await unlessAborted(asking, signal);
  }

  /** A file that is handed over is kept for its reader until it is let go of. */
  #bringsNothing({ assign }: FetchRequest): boolean {
    return !assign && this.#kind === "remote";
  }

  /**
   * Asks once. What a connection brings that has been replaced meanwhile is given
   * back: whoever asks again would wait for it.
   */
  #attempt(
    backend: Backend,
    request: FetchRequest,
    { signal, onContact, ...how }: AskOptions,
  ): Promise<Fetched> {
    const end = new LinkedSignal(signal);
    let isLeft = false;
    return new Promise<Fetched>((resolve, reject) => {
      const asked = backend.fetch(request, {
        ...how,
        signal: end.signal,
        onLeft: this.#bringsNothing(request) ? undefined : (error) => {
          isLeft = true;
          reject(error);
        },
        onContact: () => {
          if (isLeft) end.abort(new Error("somebody else has the work"));
          else onContact?.();
        },
      });
      asked.then(resolve, reject);
      void asked.then(async (fetched) => {
        if (!isLeft) return;
        if (fetched.kind === "ready") await fetched.body.release();
        if (fetched.kind !== "assigned") return;
        await this.#server.giveBack(fetched.work.id, "its connection was left");
      }).catch(() => {}).finally(() => end[Symbol.dispose]());
    });
  }

  async #claimed(fetched: Fetched): Promise<Claim> {
    if (fetched.kind === "ready") return this.#found(fetched);
    if (fetched.kind !== "assigned") return fetched;
    const held = new Assignment(this.#server, fetched.work, () => {
      this.#held.delete(held);
    });
    this.#held.add(held);
    const { path } = fetched.work;
    if (path !== undefined) {
      try {
        // Before anything is computed that could not be handed over.
        await checkAssigned(path);
      } catch (error) {
        void held.abandon("the path cannot be written to");
        throw error;
      }
    }
    return { kind: "assigned", held };
  }

  #found(
    { remove, ...ready }: Extract<Fetched, { kind: "ready" }>,
  ): Claim {
    const body = naming(this.name, ready.body);
    const found = { ...ready, body, origin: this.#kind };
    if (!remove) return found;
    const run = () => remove();
    return {
      ...found,
      remove: () => this.#server.call("remove the value", run),
    };
  }

  async close(): Promise<void> {
    for (const held of [...this.#held]) held.close();
    await this.#server.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
