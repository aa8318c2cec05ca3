/**
 * What operators' tools read by HTTP: metrics, and whether the server is there
 * and ready.
 *
 * @module
 */

import { messageOf, StartError } from "../errors.ts";
import type { Exposition } from "./exposition.ts";
import { isAllowedHost } from "./http_host.ts";

/** What is served. */
export interface HttpOptions {
  /** Where. */
  readonly address: { readonly host: string; readonly port: number };
  /** Names, beside IP addresses and localhost, that clients may call it by. */
  readonly hosts: readonly string[];
  /** `ready`, or why it is not. */
  readonly phase: () => string;
  readonly metrics: Exposition;
  /** Takes a line for the log. */
  readonly warn: (message: string) => void;
}

/** It answers. */
export interface HttpListener extends AsyncDisposable {
  /** `ip:port`, with the port that was picked. */
  readonly address: string;
}

const HEADERS = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
};

/** Answers on an address; throws a {@linkcode StartError} where that cannot be. */
export function serveHttp(options: HttpOptions): HttpListener {
  const { address: { host, port }, warn } = options;
  const gone = new AbortController();
  const server = listen({
    hostname: host.replace(/^\[(.*)\]$/, "$1"),
    port,
    signal: gone.signal,
    onListen: () => {},
    onError(error) {
      warn(`a request for metrics failed: ${messageOf(error)}`);
      return plain(500, "the server failed; its log says why");
    },
  }, (request) => answer(request, options));
  return {
    address: `${host}:${server.addr.port}`,
    async [Symbol.asyncDispose]() {
      // Whoever reads at leisure is not waited for.
      gone.abort();
      await server.finished;
    },
  };
}

function listen(
  options: Deno.ServeTcpOptions,
  handler: (request: Request) => Response | Promise<Response>,
): Deno.HttpServer<Deno.NetAddr> {
  const { hostname, port } = options;
  try {
    return Deno.serve(options, handler);
  } catch (error) {
    throw new StartError(
      1,
      `cannot listen on ${hostname}:${port} for --http: ${messageOf(error)}: ` +
        "stop what uses the port, or choose another address with --http",
      { cause: error },
    );
  }
}

/** Exported for tests. */
export async function answer(
  request: Request,
  { hosts, phase, metrics }: Pick<HttpOptions, "hosts" | "phase" | "metrics">,
): Promise<Response> {
  const url = new URL(request.url);
  if (!isAllowedHost(request.headers.get("host") ?? url.host, hosts)) {
    return plain(
      421,
      "use the IP address of this server, localhost, or a " +
        "name that --http-host allows",
    );
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    return plain(405, "only GET and HEAD", { allow: "GET, HEAD" });
  }
  switch (url.pathname) {
    case "/metrics":
      return new Response(await metrics.text(), {
        headers: { ...HEADERS, "content-type": metrics.contentType },
      });
    case "/healthz":
      return plain(200, "alive");
    case "/readyz":
      return plain(phase() === "ready" ? 200 : 503, phase());
    default:
      return plain(404, "there are /metrics, /healthz and /readyz");
  }
}

function plain(
  status: number,
  text: string,
  more: Readonly<Record<string, string>> = {},
): Response {
  return new Response(`${text}\n`, {
    status,
    headers: {
      ...HEADERS,
      ...more,
      "content-type": "text/plain; charset=utf-8",
    },
  });
}
