/**
 * How a server is spoken to: in plain text or over TLS, and as whom.
 *
 * @module
 */

import {
  type ChannelCredentials,
  type ClientOptions,
  credentials,
  Metadata,
} from "@grpc/grpc-js";
import type { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import {
  checkServerIdentity,
  createSecureContext,
  rootCertificates,
  type SecureContext,
  type SecureContextOptions,
} from "node:tls";
import { isDeepStrictEqual } from "node:util";
import { messageOf } from "../errors.ts";
import { isHere } from "./proxy.ts";

/** How servers are spoken to; all is optional. */
export interface SecurityOptions {
  /**
   * Who vouches for the server: the path of a file of certificates as PEM, or
   * `system` for those that Node and Deno bring along. Then it is spoken to over
   * TLS.
   */
  readonly ca?: string | undefined;
  /** The path of our own certificate, with its chain, as PEM. */
  readonly cert?: string | undefined;
  /** The path of its private key, as PEM. */
  readonly key?: string | undefined;
  /** Says who we are, to a server that asks; sent with every call. */
  readonly token?: string | undefined;
  /** Which of the server's listeners speak TLS, where `ca` is given: all. */
  readonly tlsOn?: "all" | "local" | "remote" | undefined;
}

/** The authorities that the runtime brings along. */
const SYSTEM = "system";
/** A name of no meaning: TLS names no numbers, and something has to be named. */
const NO_NAME = "larder.invalid";
/** What a header may hold. */
const TOKEN = /^[\w.~+/=-]+$/;

/**
 * The last context, and what it was made of. Nearly all connections of a process
 * have the same, and Node takes 50 ms for the authorities that it brings along.
 */
let made:
  | { readonly options: SecureContextOptions; readonly context: SecureContext }
  | undefined;

/** How one address is spoken to. */
export class Security {
  readonly #host: string;
  readonly #options: SecurityOptions;
  readonly #isTls: boolean;
  #last: ChannelCredentials | undefined;

  /**
   * @param address `host:port`.
   * @param options How, and which listener of the server that is.
   * @throws {TypeError} They do not fit each other, or a file cannot be used.
   */
  constructor(
    address: string,
    options: SecurityOptions & { readonly kind?: "local" | "remote" } = {},
  ) {
    const { ca, cert, key, token, tlsOn, kind = "remote" } = options;
    this.#options = options;
    this.#host = address.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
    this.#isTls = ca !== undefined &&
      (tlsOn === undefined || tlsOn === "all" || tlsOn === kind);
    if ((cert === undefined) !== (key === undefined)) {
      const [has, lacks] = cert === undefined
        ? ["key", "cert"]
        : ["cert", "key"];
      throw new TypeError(`${has} needs ${lacks}: give both`);
    }
    if (ca === undefined && cert !== undefined) {
      throw new TypeError(
        "cert and key need ca, which says who vouches for the server: a file, " +
          "or system",
      );
    }
    if (ca === undefined && tlsOn !== undefined) {
      throw new TypeError(
        "tlsOn needs ca, which says who vouches for the server: without it " +
          "nothing is spoken over TLS",
      );
    }
    if (token !== undefined) checkToken(token);
    if (token !== undefined && !this.#isTls && !isHere(address)) {
      throw new TypeError(
        `a token is not sent to ${address} in plain text: give ca, so that it ` +
          "is spoken to over TLS",
      );
    }
    if (this.#isTls) this.#last = this.#secure();
  }

  /** Whether it is spoken to over TLS. */
  get isTls(): boolean {
    return this.#isTls;
  }

  /** What a new connection is made with. Files are read again each time. */
  connection(): {
    readonly credentials: ChannelCredentials;
    readonly options: ClientOptions;
  } {
    if (!this.#isTls) {
      return { credentials: credentials.createInsecure(), options: {} };
    }
    try {
      this.#last = this.#secure();
    } catch {
      // They are being replaced: what was good before is as good now.
    }
    const isNumber = isIP(this.#host) !== 0;
    return {
      credentials: this.#last!,
      options: isNumber ? { "grpc.ssl_target_name_override": NO_NAME } : {},
    };
  }

  /** What goes with every call. */
  metadata(): Metadata {
    const metadata = new Metadata();
    const { token } = this.#options;
    if (token !== undefined) metadata.set("authorization", `Bearer ${token}`);
    return metadata;
  }

  #secure(): ChannelCredentials {
    const { ca, cert, key } = this.#options;
    const context = contextOf({
      ca: ca === SYSTEM ? [...rootCertificates] : read("ca", ca!),
      ...cert !== undefined && { cert: read("cert", cert) },
      ...key !== undefined && { key: read("key", key) },
      minVersion: "TLSv1.2",
    });
    return credentials.createFromSecureContext(context, {
      // Of an IP address the certificate has to name the address.
      checkServerIdentity: (_, peer) => checkServerIdentity(this.#host, peer),
    });
  }
}

function contextOf(options: SecureContextOptions): SecureContext {
  if (made && isDeepStrictEqual(made.options, options)) return made.context;
  try {
    const context = createSecureContext(options);
    made = { options, context };
    return context;
  } catch (error) {
    const names = Object.keys(options).filter((name) => name !== "minVersion");
    throw new TypeError(
      `${names.join(", ")}: no certificate and key as PEM that fit each ` +
        `other: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

function checkToken(token: string): void {
  if (TOKEN.test(token)) return;
  throw new TypeError(
    token === ""
      ? "the token is empty"
      : "the token holds what no token does: letters, digits, and . _ ~ + / = - " +
        "are all there is in one",
  );
}

function read(name: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code } = error as { code?: string };
    const why = code === "ENOENT" ? "there is no such file" : messageOf(error);
    throw new TypeError(`${name} ${path}: ${why}`, { cause: error });
  }
}
