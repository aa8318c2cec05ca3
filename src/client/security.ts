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
import { isUnixAddress } from "../unix_address.ts";
import { hostOf } from "./address.ts";
import { certificates, type Named, privateKey } from "./pem.ts";
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

/** How whoever gave the options calls them. */
export interface SecurityNames {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly token: string;
  readonly tlsOn: string;
}

/** The options of the library. */
const NAMES: SecurityNames = {
  ca: "ca",
  cert: "cert",
  key: "key",
  token: "token",
  tlsOn: "tlsOn",
};

/** Options that cannot be used. */
export class SecurityError extends TypeError {
  /** Which of them is to blame. */
  readonly about: keyof SecurityNames;

  /** The message names it. */
  constructor(
    about: keyof SecurityNames,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "TypeError";
    this.about = about;
  }
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
  /** Who is there, as its certificate has to name it. */
  readonly host: string;
  /** What messages call the options. */
  readonly names: SecurityNames;
  readonly #options: SecurityOptions;
  readonly #isTls: boolean;
  /** What goes with every call. */
  readonly metadata: Metadata = new Metadata();
  /** The same, as headers. */
  readonly headers: Readonly<Record<string, string>>;
  #last: ChannelCredentials | undefined;

  /**
   * @param address `host:port`, or `unix:PATH`.
   * @param options How, and which listener of the server that is.
   * @param names What messages call them.
   * @throws {SecurityError} They do not fit each other, or a file cannot be used.
   */
  constructor(
    address: string,
    options: SecurityOptions & { readonly kind?: "local" | "remote" } = {},
    names: SecurityNames = NAMES,
  ) {
    const { ca, cert, key, token, tlsOn, kind = "remote" } = options;
    this.#options = options;
    this.names = names;
    this.host = hostOf(address);
    // A Unix domain socket speaks plain text, whatever the server's others do.
    this.#isTls = ca !== undefined && !isUnixAddress(address) &&
      (tlsOn === undefined || tlsOn === "all" || tlsOn === kind);
    if ((cert === undefined) !== (key === undefined)) {
      const [has, lacks] = cert === undefined
        ? ["key", "cert"] as const
        : ["cert", "key"] as const;
      throw new SecurityError(
        has,
        `${names[has]} needs ${names[lacks]}: give both`,
      );
    }
    if (ca === undefined && cert !== undefined) {
      throw new SecurityError(
        "cert",
        `${names.cert} and ${names.key} need ${names.ca}, which says who ` +
          "vouches for the server: a file, or system",
      );
    }
    if (ca === undefined && tlsOn !== undefined) {
      throw new SecurityError(
        "tlsOn",
        `${names.tlsOn} needs ${names.ca}, which says who vouches for the ` +
          "server: without it nothing is spoken over TLS",
      );
    }
    if (token !== undefined) checkToken(token, names);
    if (token !== undefined && !this.#isTls && !isHere(address)) {
      throw new SecurityError(
        "token",
        `a token is not sent to ${address} in plain text: give ${names.ca}, ` +
          "so that it is spoken to over TLS",
      );
    }
    this.headers = token === undefined
      ? {}
      : { authorization: `Bearer ${token}` };
    for (const [name, value] of Object.entries(this.headers)) {
      this.metadata.set(name, value);
    }
    if (this.#isTls) this.#last = this.#secure();
  }

  /** Whether it is spoken to over TLS. */
  get isTls(): boolean {
    return this.#isTls;
  }

  /** Who vouches for the server, as it was said; `undefined`: the system. */
  get ca(): Named | undefined {
    const { ca } = this.#options;
    if (ca === undefined || ca === SYSTEM) return undefined;
    return { by: this.names.ca, path: ca };
  }

  /** Our own certificate, if there is one. */
  get cert(): Named | undefined {
    const { cert } = this.#options;
    return cert === undefined ? undefined : { by: this.names.cert, path: cert };
  }

  /** The listener would speak TLS, but for what says which ones do. */
  get isPlainByChoice(): boolean {
    return this.#options.ca !== undefined && !this.#isTls;
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
    const isNumber = isIP(this.host) !== 0;
    return {
      credentials: this.#last!,
      options: isNumber ? { "grpc.ssl_target_name_override": NO_NAME } : {},
    };
  }

  /**
   * What TLS is begun with.
   *
   * @param shows Whether our own certificate is shown, if there is one.
   * @throws {SecurityError} A file cannot be used.
   */
  context({ shows }: { readonly shows: boolean }): SecureContext {
    const { names } = this;
    const { key } = this.#options;
    const { ca, cert } = this;
    const authorities = ca === undefined
      ? [...rootCertificates]
      : about("ca", () => certificates(ca));
    const own: SecureContextOptions = {};
    if (shows && cert !== undefined) {
      const pem = own.cert = about("cert", () => certificates(cert));
      const file = { by: names.key, path: key! };
      own.key = about("key", () => privateKey(file, { cert, pem }));
    }
    const which = shows && cert !== undefined ? "cert" : "ca";
    const all = { ca: authorities, minVersion: "TLSv1.2", ...own } as const;
    const make = shows ? contextOf : createSecureContext;
    return about(which, () => make(all), `${names[which]}: `);
  }

  #secure(): ChannelCredentials {
    return credentials.createFromSecureContext(this.context({ shows: true }), {
      // Of an IP address the certificate has to name the address.
      checkServerIdentity: (_, peer) => checkServerIdentity(this.host, peer),
    });
  }
}

function contextOf(options: SecureContextOptions): SecureContext {
  if (made && isDeepStrictEqual(made.options, options)) return made.context;
  const context = createSecureContext(options);
  made = { options, context };
  return context;
}

/** What is thrown is about an option. */
function about<T>(
  name: keyof SecurityNames,
  make: () => T,
  before = "",
): T {
  try {
    return make();
  } catch (error) {
    throw new SecurityError(name, `${before}${messageOf(error)}`, {
      cause: error,
    });
  }
}

function checkToken(token: string, names: SecurityNames): void {
  if (TOKEN.test(token)) return;
  throw new SecurityError(
    "token",
    `${names.token}: ` +
      (token === ""
        ? "the token is empty"
        : "the token holds what no token does: letters, digits, and " +
          ". _ ~ + / = - are all there is in one"),
  );
}
