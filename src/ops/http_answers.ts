/**
 * What is answered by HTTP, to whom: metrics, probes, the status page.
 *
 * @module
 */

import type { Exposition } from "./exposition.ts";
import { isAllowedHost } from "./http_host.ts";
import type { LivePictures } from "./live_pictures.ts";
import { pageFile } from "./page_files.ts";

/** A request: its body is of no interest. */
export interface Asked {
  readonly method: string;
  /** The path, with or without what follows a question mark. */
  readonly url: string;
  /** The header Host; absent in HTTP/1.0 only, which no browser speaks. */
  readonly host: string | undefined;
  /** The header Sec-Fetch-Site, which browsers send. */
  readonly site: string | undefined;
  /** The header Authorization. */
  readonly authorization?: string | undefined;
  /** The address of the client. */
  readonly client?: string;
}

/** Somebody who may watch, for as long as that holds; or why they may not. */
export type Admitted = { readonly mayWatch: boolean } | {
  readonly status: 401 | 403;
  readonly why: string;
};

/** An answer. */
export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The whole of it, or pieces for as long as they are wanted. */
  readonly body: string | AsyncGenerator<string>;
}

/** What answers are made of. */
export interface AnswerOptions {
  /** Names, beside IP addresses and localhost, that clients may call it by. */
  readonly hosts: readonly string[];
  /** `ready`, or why it is not. */
  readonly phase: () => string;
  readonly metrics: Exposition;
  /** Whether the page is there, and what it is drawn from. */
  readonly hasPage: boolean;
  readonly live: Pick<LivePictures, "open">;
  /** Says who may see metrics and pictures; absent: everybody. */
  readonly admit?: (asked: {
    readonly authorization: string | undefined;
    readonly client: string;
  }) => Admitted;
}

/** What no answer is without: nothing is kept, guessed, framed or shared. */
const HEADERS = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; " +
    "connect-src 'self'; img-src 'self'; base-uri 'none'; " +
    "form-action 'none'; frame-ancestors 'none'",
};

/** Answers a request. */
export async function answer(
  asked: Asked,
  options: AnswerOptions,
): Promise<Answered> {
  const { method, url, host } = asked;
  const { hosts, phase, metrics, hasPage } = options;
  if (host !== undefined && !isAllowedHost(host, hosts)) {
    return plain(
      421,
      "use the IP address of this server, localhost, or a " +
        "name that --http-host allows",
    );
  }
  if (method !== "GET" && method !== "HEAD") {
    return plain(405, "only GET and HEAD", { allow: "GET, HEAD" });
  }
  const [path = ""] = url.split("?");
  switch (path) {
    case "/metrics": {
      const watcher = watcherOf(asked, options);
      if ("status" in watcher) return watcher;
      return answered(200, metrics.contentType, await metrics.text());
    }
    case "/healthz":
      return plain(200, "alive");
    case "/readyz":
      return plain(phase() === "ready" ? 200 : 503, phase());
  }
  if (hasPage) {
    if (path === "/live") return liveAnswer(asked, options);
    const file = pageFile(path);
    if (file) return answered(200, file.type, file.text);
  }
  const page = hasPage ? "/ (a page), " : "";
  return plain(404, `there are ${page}/metrics, /healthz and /readyz`);
}

/** A page of others cannot read it, and is not to take the places of those who can. */
function liveAnswer(asked: Asked, options: AnswerOptions): Answered {
  const { method, site } = asked;
  if (site === "cross-site") {
    return plain(403, "only the page of this server is given this");
  }
  const watcher = watcherOf(asked, options);
  if ("status" in watcher) return watcher;
  if (method === "HEAD") return answered(200, LIVE_TYPE, "");
  const lines = options.live.open(() => watcher.mayWatch);
  if (lines) return answered(200, LIVE_TYPE, lines);
  return plain(503, "as many watch this server as may: close another page", {
    "retry-after": "5",
  });
}

const EVERYBODY = { mayWatch: true };

/** Who asks, or what they are answered. */
function watcherOf(
  { authorization, client = "" }: Asked,
  { admit }: AnswerOptions,
): { readonly mayWatch: boolean } | Answered {
  const admitted = admit?.({ authorization, client }) ?? EVERYBODY;
  if (!("status" in admitted)) return admitted;
  const { status, why } = admitted;
  return plain(
    status,
    why,
    status === 401 ? { "www-authenticate": 'Bearer realm="larder"' } : {},
  );
}

/** A line of JSON each. */
const LIVE_TYPE = "application/x-ndjson; charset=utf-8";

function plain(
  status: number,
  text: string,
  more: Readonly<Record<string, string>> = {},
): Answered {
  return answered(status, "text/plain; charset=utf-8", `${text}\n`, more);
}

function answered(
  status: number,
  type: string,
  body: Answered["body"],
  more: Readonly<Record<string, string>> = {},
): Answered {
  return {
    status,
    headers: { ...HEADERS, ...more, "content-type": type },
    body,
  };
}
