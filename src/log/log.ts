/**
 * The server's log: one event, one line, as text or as JSON. A line never holds
 * an id, and no more of a key than its beginning.
 *
 * @module
 */

import { formatShortKey } from "../key_text.ts";

/** How bad it is: what to read, what to look after, and what to act on. */
export type LogLevel = "info" | "warn" | "error";

/** How lines are written. */
export type LogFormat = "text" | "json";

/** What an event is about, as far as that is known. */
export interface LogFacts {
  /** By default `warn`. */
  readonly level?: LogLevel;
  /** Of the entry, or of what else the line is about. */
  readonly namespace?: string;
  /** The entry's key; a line has the beginning of it. */
  readonly key?: Uint8Array;
  /** Where the client calls from that has the work, or made the call. */
  readonly client?: string;
  /** Which of its calls that was: the number of its stream. */
  readonly call?: number;
  /** Of a call: `larder.v1.Cache/Fetch`, … */
  readonly method?: string;
  /** … how it ended, … */
  readonly code?: string;
  /** … and how long it took. */
  readonly tookMs?: number;
  /** How long that has taken. */
  readonly ms?: number;
}

/** A call that somebody made. */
export interface LoggedCall {
  /** Where its client calls from. */
  readonly peer: string;
  /** Which of its calls it is; absent: nobody has numbered it. */
  readonly place?: { readonly id: number };
}

/**
 * Says from which call a line comes, in the words of the lines of
 * `--log-calls`.
 *
 * @param call That one, if it comes from one.
 * @returns Its client, and its number.
 */
export function ofCall(
  call: LoggedCall | undefined,
): Pick<LogFacts, "client" | "call"> {
  if (call === undefined) return {};
  const { peer: client, place } = call;
  return { client, ...place && { call: place.id } };
}

/** Takes an event. */
export type Log = (message: string, facts?: LogFacts) => void;

/**
 * Writes an event as one line.
 *
 * @param message What has happened.
 * @param facts What it is about.
 * @param options The form, and the time in milliseconds since 1970.
 * @returns The line, without its end.
 */
export function logLine(
  message: string,
  facts: LogFacts,
  options: { readonly format: LogFormat; readonly wallMs: number },
): string {
  const { level = "warn", namespace, key, client, ms, tookMs } = facts;
  const { call, method, code } = facts;
  const time = new Date(options.wallMs).toISOString();
  const about = {
    ...method !== undefined && { method },
    ...code !== undefined && { code },
    ...namespace !== undefined && { namespace },
    ...key && { key: formatShortKey(key) },
    ...client !== undefined && { client },
    ...call !== undefined && { call },
    ...tookMs !== undefined && { ms: Math.round(tookMs * 1_000) / 1_000 },
    ...ms !== undefined && { seconds: Math.round(ms / 100) / 10 },
  };
  const said = onOneLine(message);
  if (options.format === "json") {
    return JSON.stringify({ time, level, message: said, ...about });
  }
  const words = Object.entries(about).map(([name, value]) =>
    ` ${name}=${quoted(`${value}`)}`
  );
  return `${time} ${level.padEnd(5)} ${said}${words.join("")}`;
}

/** Whatever ends a line or moves a terminal's cursor becomes a blank. */
function onOneLine(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]+\s*/gu, " ");
}

/** A value of several words is quoted, so that it can be told from the next one. */
function quoted(value: string): string {
  return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}
