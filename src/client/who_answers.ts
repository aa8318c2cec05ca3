/**
 * What there is at an address where no Larder answers: gRPC's own errors do not
 * say.
 *
 * @module
 */

import { connect, type Socket } from "node:net";
import { placeOf } from "./address.ts";

/** Whoever is there, and is no Larder that hangs, says something by then. */
const SILENCE_MS = 1_000;

/** The beginning of every HTTP/2 connection, and SETTINGS without a setting. */
const HELLO = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/** A frame of HTTP/2 has its type there; the first is SETTINGS. */
const TYPE_AT = 3;
const SETTINGS = 4;
/** How TLS says that it was not spoken to: a record with an alert. */
const ALERT = [0x15, 0x03];

/** What answers a greeting in HTTP/2. */
export type Answering =
  /** Nobody listens, or the address leads nowhere. */
  | "nothing"
  /** The connection is accepted, and nothing comes. */
  | "silence"
  /** It is accepted, and closed without a word. */
  | "closed"
  /** An HTTP server of the kind that browsers talk to. */
  | "http"
  /** HTTP/2, as Larder and every gRPC server speak it. */
  | "http2"
  /** Whoever is there speaks TLS. */
  | "tls"
  /** Something that speaks otherwise. */
  | "other";

/** Finds out, by a connection of its own. */
export function whoAnswers(
  address: string,
  { silenceMs = SILENCE_MS }: {
    /** When that is taken for silence. */
    readonly silenceMs?: number;
  } = {},
): Promise<Answering> {
  return new Promise((resolve) => {
    const socket = connecting(address);
    // The error of the call says it.
    if (socket === undefined) return resolve("nothing");
    let isConnected = false;
    const end = (answering: Answering) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answering);
    };
    const timer = setTimeout(
      () => end(isConnected ? "silence" : "nothing"),
      silenceMs,
    );
    socket.once("connect", () => {
      isConnected = true;
      socket.write(HELLO);
    });
    socket.once("data", (bytes) => end(kindOf(bytes as Uint8Array)));
    socket.once("error", () => end(isConnected ? "closed" : "nothing"));
    socket.once("close", () => end(isConnected ? "closed" : "nothing"));
  });
}

/** `undefined`: Deno does not let this program use the path of the socket. */
function connecting(address: string): Socket | undefined {
  try {
    return connect(placeOf(address));
  } catch (error) {
    if ((error as Error).name === "NotCapable") return undefined;
    throw error;
  }
}

function kindOf(bytes: Uint8Array): Answering {
  if (bytes[TYPE_AT] === SETTINGS) return "http2";
  if (ALERT.every((byte, at) => bytes[at] === byte)) return "tls";
  const text = new TextDecoder().decode(bytes.subarray(0, 64));
  return /^(HTTP\/|\s*<(!doctype|html))/i.test(text) ? "http" : "other";
}

/** What there is where no Larder answers, in words. */
export const ANSWERING: { readonly [kind in Answering]?: string } = {
  silence: "connections are accepted there, and nothing answers: the server " +
    "hangs, or it is no Larder",
  closed:
    "what is there closes each connection without a word: a tunnel or a " +
    "proxy whose server is away, or the wrong port",
  http:
    "an HTTP server answers there, and no Larder, so it may be the wrong port",
  other: "what answers there is no Larder, and no gRPC server, so it may " +
    "be the wrong port",
};
