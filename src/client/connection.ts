/**
 * A server as a tier: what it answers, and the work that is held of it.
 *
 * @module
 */

import { Assignment } from "./assignment.ts";
import { unlessAborted } from "./backoff.ts";
import type { CallOptions, Fetched, FetchRequest } from "./backend.ts";
import type { TierCatalog } from "./catalog.ts";
import { ConnectionCatalog } from "./connection_catalog.ts";
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
    { signal, onWaiting }: CallOptions,
  ): Promise<Claim> {
    signal?.throwIfAborted();
    // A file that is handed over is kept for its reader until it is let go of.
    const bringsNothing = !request.assign && this.#kind === "remote";
    const late = new LateAnswer(signal, { bringsNothing });
    const asking = this.#server.call(
      "ask for the value",
      (backend, { signal: ended, onContact }) => {
        late.assertWanted();
        return backend.fetch(request, {
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
    this.#server.closeAfter(late.giveBack(asking));
    return signal ? await unlessAborted(asking, signal) : await asking;
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
