/**
 * The servers that suites are run against.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { TextLineStream } from "../support/lines.ts";
import { ServerProcess } from "../support/server_process.ts";

/**
 * `larder`: the cache server as its users start it, limits and all. `services`:
 * the services of the suites, on the same gRPC.
 */
export type ServerKind = "larder" | "services";

/** A server that answers. */
export interface RunningServer extends AsyncDisposable {
  /** On 127.0.0.1. */
  readonly port: number;
  /** The path of its local listener; empty: it has none. */
  readonly socket: string;
}

/** What a Deno process needs that serves the suites' services. */
export const SERVICES_ARGS: readonly string[] = [
  ...["run", "--quiet", "--no-prompt", "--ignore-env"],
  ...["--allow-read", "--allow-net=127.0.0.1", "--allow-sys=uid"],
];

/**
 * Starts a server.
 *
 * @param kind Which.
 * @returns It; disposing stops it.
 */
export function startServer(kind: ServerKind): Promise<RunningServer> {
  return kind === "larder" ? startLarder() : startServices();
}

async function startLarder(): Promise<RunningServer> {
  const root = await Deno.makeTempDir({ prefix: "larder-conformance-" });
  // Clients of grpc-go dial it as `unix:PATH`.
  const socket = `${root}.sock`;
  const server = await ServerProcess.start(root, {
    args: ["-l", `unix:${socket}`],
  });
  return {
    port: portOf(server.remote),
    socket,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await Deno.remove(root, { recursive: true });
    },
  };
}

/** Its first line names its port. */
async function startServices(): Promise<RunningServer> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...SERVICES_ARGS,
      fileURLToPath(new URL("./interop_server.ts", import.meta.url)),
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = child.stdout
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new TextLineStream());
  for await (const line of lines) {
    return {
      port: portOf(line),
      socket: "",
      async [Symbol.asyncDispose]() {
        child.kill("SIGKILL");
        await child.status;
      },
    };
  }
  throw new Error("Cannot go on: the test server did not start");
}

function portOf(text: string): number {
  return Number(/\d+$/.exec(text)?.[0]);
}
