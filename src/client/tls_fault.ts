/**
 * Why TLS gets nowhere at an address: grpc-js tells only that there is no
 * connection, whichever of the two sides does not believe the other one.
 *
 * @module
 */

import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import {
  checkServerIdentity,
  connect,
  type PeerCertificate,
  type SecureContext,
  type TLSSocket,
} from "node:tls";
import { messageOf } from "../errors.ts";
import { placeOf } from "./address.ts";
import { certificates, nameOf } from "./pem.ts";
import type { Security } from "./security.ts";

/** Whoever is there has done its part of a handshake by then. */
const HANDSHAKE_MS = 2_000;
/** The alert that says why may be lost with the connection, but not each time. */
const MAX_LOOKS = 3;
/** More names of a certificate than that tell nobody anything. */
const MAX_NAMES = 5;
/** What gRPC is spoken over. */
const HTTP_2 = "h2";

/** How the server says that it wants a certificate. */
const WANTS_CERTIFICATE = /CERTIFICATE_REQUIRED/;
/** How it says that there is nothing that both speak within TLS. */
const NO_PROTOCOL = /NO_APPLICATION_PROTOCOL/;

/** What became of a handshake. */
interface Handshake {
  /** What the server said who it is; absent: it has not come to that. */
  readonly peer?: PeerCertificate;
  /** Whether an authority that we know vouches for that. */
  readonly isVouchedFor: boolean;
  /** Whether HTTP/2 would follow. */
  readonly isHttp2: boolean;
  /** It was ended by the server after that; the error, where it has said one. */
  readonly end?: string;
}

/**
 * Looks why.
 *
 * @param address `host:port`, where somebody speaks TLS.
 * @param security How it is spoken to; over TLS.
 * @returns Why, and what to do; `undefined`: TLS is not what is wrong.
 */
export async function tlsFault(
  address: string,
  security: Security,
): Promise<string | undefined> {
  try {
    // Our own certificate is for the server that it says it is.
    const context = security.context({ shows: false });
    const how = { address, security };
    let made = await handshake(context, how);
    const isMute = () => made.peer !== undefined && made.end === "";
    for (let look = 1; look < MAX_LOOKS && isMute(); look++) {
      made = await handshake(context, how);
    }
    const fault = ofServer(made, security);
    if (fault !== undefined) return fault;
    if (security.cert === undefined) return ofNone(made, security);
    const own = security.context({ shows: true });
    return ofOurs(await handshake(own, how), security);
  } catch (error) {
    // A file that was good at first is not any more.
    return messageOf(error);
  }
}

/** Whether who is there speaks TLS, whatever becomes of it; never fails. */
export async function speaksTls(
  address: string,
  security: Security,
): Promise<boolean> {
  try {
    const context = security.context({ shows: false });
    const { peer, end = "" } = await handshake(context, { address, security });
    return peer !== undefined || NO_PROTOCOL.test(end);
  } catch {
    // A file that is none any more: tlsFault says so, if TLS is spoken.
    return false;
  }
}

function ofServer(
  { peer, isVouchedFor, isHttp2, end }: Handshake,
  { host, ca, names }: Security,
): string | undefined {
  if (NO_PROTOCOL.test(end ?? "") || (peer && !isHttp2)) {
    return "what answers there speaks TLS, and no HTTP/2 within it, so it is " +
      "no Larder, and may be the wrong port";
  }
  if (peer === undefined) {
    return end === undefined
      ? undefined
      : `TLS cannot be agreed on: ${
        plain(end) || "the connection ends in its midst"
      }`;
  }
  const untilMs = Date.parse(peer.valid_to);
  if (untilMs <= Date.now()) {
    return `the certificate of the server expired on ${dayOf(untilMs)}: ` +
      "it needs a new one";
  }
  const fromMs = Date.parse(peer.valid_from);
  if (fromMs > Date.now()) {
    return `the certificate of the server is good from ${dayOf(fromMs)} on ` +
      "only: look at the clocks of both machines";
  }
  if (!isVouchedFor) {
    const issuer = plain(peer.issuer?.CN ?? peer.issuer?.O ?? "");
    const by = issuer === "" ? "" : ` (${issuer} does)`;
    return ca === undefined
      ? `no authority of the system vouches for the certificate of the server${by}: ` +
        `give ${names.ca} the file of the one that does`
      : `${
        nameOf(ca)
      } does not vouch for the certificate of the server${by}: ` +
        "it has to be of the authority that made it";
  }
  if (checkServerIdentity(host, peer) === undefined) return undefined;
  const known = namesOf(peer);
  return `the certificate of the server is none for ${host}, but for ` +
    `${known || "nobody"}: call it by that, or give it a certificate that ` +
    `names ${host}`;
}

/** The server has ended what was good so far, and we have shown nothing. */
function ofNone(
  { end }: Handshake,
  { names }: Security,
): string | undefined {
  if (end === undefined) return undefined;
  const remedy = `give ${names.cert} and ${names.key}`;
  return WANTS_CERTIFICATE.test(end)
    ? `the server asks for a certificate of the client, and there is none: ${remedy}`
    : "the server ends the connection once TLS is agreed on: it may ask for a " +
      `certificate of the client: ${remedy}; or what it stands before is away`;
}

function ofOurs({ end }: Handshake, { cert }: Security): string | undefined {
  if (end === undefined || cert === undefined) return undefined;
  const ours = new X509Certificate(certificates(cert));
  const untilMs = Date.parse(ours.validTo);
  if (untilMs <= Date.now()) {
    return `${nameOf(cert)} expired on ${dayOf(untilMs)}, and the server ` +
      "refuses it: get a new one";
  }
  const fromMs = Date.parse(ours.validFrom);
  if (fromMs > Date.now()) {
    return `${nameOf(cert)} is good from ${dayOf(fromMs)} on only, and the ` +
      "server refuses it: look at the clocks of both machines";
  }
  const [, issuer = "somebody"] = /^CN=(.+)$/m.exec(ours.issuer) ?? [];
  return `the server does not take ${nameOf(cert)}: its --client-ca does not ` +
    `vouch for it (${plain(issuer)} does)`;
}

/** Shows what happens; nothing is said within TLS. */
function handshake(
  secureContext: SecureContext,
  { address, security }: {
    readonly address: string;
    readonly security: Security;
  },
): Promise<Handshake> {
  return new Promise((resolve) => {
    const socket: TLSSocket = connect({
      ...placeOf(address),
      secureContext,
      ...servername(security.host),
      ALPNProtocols: [HTTP_2],
      // It is looked at here.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    });
    let made: Handshake = { isVouchedFor: false, isHttp2: false };
    let error = "";
    const end = (how?: string) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(how === undefined ? made : { ...made, end: how });
    };
    const timer = setTimeout(end, HANDSHAKE_MS);
    socket.once("secureConnect", () => {
      made = {
        peer: socket.getPeerCertificate(),
        isVouchedFor: socket.authorized,
        isHttp2: socket.alpnProtocol === HTTP_2,
      };
    });
    // It greets us.
    socket.once("data", () => end());
    socket.on("error", (thrown) => {
      const { code = "" } = thrown as { code?: string };
      error ||= code || messageOf(thrown);
    });
    socket.once("close", () => end(error));
  });
}

/** TLS names no numbers. */
function servername(host: string): { readonly servername?: string } {
  return isIP(host) === 0 ? { servername: host } : {};
}

/** `localhost, 127.0.0.1 and ::1`. */
function namesOf({ subjectaltname = "", subject }: PeerCertificate): string {
  const all = subjectaltname.split(", ")
    .map((each) => plain(each.replace(/^[\w ]+:/, "")))
    .filter((name) => name !== "");
  const known = all.length > 0 ? all : [plain(subject?.CN ?? "")];
  const more = known.length - MAX_NAMES;
  const shown = known.slice(0, MAX_NAMES);
  return more > 0
    ? `${shown.join(", ")} and ${more} more`
    : shown.join(", ").replace(/, ([^,]*)$/, " and $1");
}

/** The text is the server's: nothing that a terminal would take for more. */
function plain(text: string | string[]): string {
  return `${text}`.replace(/[^\x20-\x7e]/g, "?").slice(0, 200);
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
