/**
 * The server of a test in the test's own process.
 *
 * What a client is answered does not depend on where the server runs, and a
 * process of its own costs a second of processor time in each test. Tests that
 * kill servers, look at their processes or at what confines them start the real
 * one: see server_process.ts.
 *
 * @module
 */

import { parseCommandLine } from "../../src/launch/arguments.ts";
import { prepareRoot, refuseOtherData } from "../../src/root/root_folder.ts";
import type { RunningServer } from "../../src/launch/running_server.ts";
import { logLine } from "../../src/log/log.ts";
import { serve, type Stores } from "../../src/serve.ts";
import { LocalClient, RemoteClient } from "./clients.ts";
import { keepWorkers } from "./kept_workers.ts";
import { serveWords } from "./serve_words.ts";

keepWorkers();

/** A running server. */
export class ServerHere implements AsyncDisposable {
  /** Where LocalCache answers; empty when it is off. */
  readonly local: string;
  /** Where RemoteCache answers; empty when it is off. */
  readonly remote: string;
  /** Where metrics are; empty when they are off. */
  readonly http: string;
  readonly #server: RunningServer;
  readonly #lines: readonly string[];

  private constructor(
    /** The folder that it serves. */
    readonly root: string,
    server: RunningServer,
    lines: readonly string[],
  ) {
    this.#server = server;
    this.#lines = lines;
    this.local = server.localAddress ?? "";
    this.remote = server.remoteAddress ?? "";
    this.http = server.httpAddress ?? "";
  }

  /** Starts a server with these arguments, and waits until it answers. */
  static async start(
    root: string,
    { args = [], wrap }: {
      readonly args?: readonly string[];
      /** Decorates the stores. */
      readonly wrap?: (stores: Stores) => Stores;
    } = {},
  ): Promise<ServerHere> {
    const words = serveWords(root, args);
    const invocation = await parseCommandLine(words, Deno.cwd);
    if (invocation.kind !== "launch") throw new TypeError(words.join(" "));
    refuseOtherData(invocation.config.root);
    const lines: string[] = [];
    const config = { ...invocation.config, root: await prepareRoot(root) };
    const form = { format: config.logFormat };
    const server = await serve(
      config,
      (message, facts = {}) =>
        lines.push(logLine(message, facts, { ...form, wallMs: Date.now() })),
      wrap,
    );
    return new ServerHere(root, server, lines);
  }

  /** What a process would have written to stderr until now. */
  get stderr(): string {
    return this.#lines.map((line) => `${line}\n`).join("");
  }

  /** Looks at its files again, as on a hangup. */
  async reload(): Promise<void> {
    await this.#server.reload?.();
  }

  /** Stops as a process does that is asked to. */
  stop(): Promise<void> {
    return this.#server.drain();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** What a client needs to know of a server. */
export type Answering = Pick<
  ServerHere,
  "local" | "remote" | "root" | "stderr"
>;

/** Runs with a server of this root, which is stopped afterwards. */
export async function whileServedHere(
  root: string,
  run: (server: Answering) => Promise<void>,
  args: readonly string[] = [],
): Promise<void> {
  await using server = await ServerHere.start(root, { args });
  await run(server);
}

/** A server, and a client of each of its APIs. */
export interface ClientsHere {
  readonly server: Answering;
  readonly local: LocalClient;
  readonly remote: RemoteClient;
}

/** The same, with a client of each of its APIs. */
export async function withClientsHere(
  root: string,
  run: (clients: ClientsHere) => Promise<void>,
  ...args: readonly string[]
): Promise<void> {
  await whileServedHere(root, async (server) => {
    // Closed before the stop: Deno's HTTP/2 client may abort on a late GOAWAY.
    using local = new LocalClient(server.local);
    using remote = new RemoteClient(server.remote);
    await run({ server, local, remote });
  }, args);
}
