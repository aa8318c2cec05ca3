/**
 * The certificate, its key and the client CA: read at the start, looked at again
 * while the server runs, and the last good ones kept.
 *
 * @module
 */

import { createSecureContext } from "node:tls";
import type { Clock, Timer } from "../clock.ts";
import { messageOf, StartError } from "../errors.ts";
import {
  CERTIFICATE_LOOK_MS,
  EXPIRY_WARNING_DAYS,
  MAX_CREDENTIALS_BYTES,
} from "../limits.ts";
import type { Log } from "../log/log.ts";
import {
  certificatesOf,
  checkPair,
  type Identity,
  type IdentitySource,
} from "./pem.ts";

const DAY_MS = 24 * 60 * 60_000;

/** Where they are. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
  /** Of those that vouch for clients; absent: clients need no certificate. */
  readonly ca?: string;
}

/** What they need of the world. */
export interface CertificateOptions {
  readonly clock: Clock;
  /** Takes what is for the operator. */
  readonly log: Log;
  /** Reads a file; the system by default. */
  readonly read?: (path: string) => Promise<string>;
}

/** What listeners over TLS say who they are with. */
export class Certificates implements IdentitySource, Disposable {
  /** Called when there are others. */
  readonly onChange: Set<() => void> = new Set();
  readonly #files: CertificateFiles;
  readonly #options: CertificateOptions;
  #current: Identity;
  /** Why the files cannot be taken now, so that it is said once. */
  #trouble: string | undefined;
  #warnedMs = -Infinity;
  #timer: Timer | undefined;
  #looking: Promise<void> | undefined;
  #isClosed = false;

  private constructor(
    files: CertificateFiles,
    options: CertificateOptions,
    current: Identity,
  ) {
    this.#files = files;
    this.#options = options;
    this.#current = current;
    this.#warnOfExpiry();
    this.#arm();
  }

  /**
   * Reads them for the first time.
   *
   * @throws {StartError} They cannot be read, or do not fit each other.
   */
  static async open(
    files: CertificateFiles,
    options: CertificateOptions,
  ): Promise<Certificates> {
    try {
      const current = await readIdentity(files, options.read);
      return new Certificates(files, options, current);
    } catch (error) {
      throw new StartError(1, `cannot speak TLS: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  /** The last good ones. */
  get current(): Identity {
    return this.#current;
  }

  /** Looks whether there are others; whoever asks meanwhile is told with it. */
  look(): Promise<void> {
    return this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  async #look(): Promise<void> {
    this.#timer?.cancel();
    try {
      const found = await readIdentity(this.#files, this.#options.read);
      if (this.#isClosed) return;
      this.#trouble = undefined;
      if (!isSame(found, this.#current)) this.#take(found);
    } catch (error) {
      if (this.#isClosed) return;
      const trouble = messageOf(error);
      if (trouble !== this.#trouble) {
        this.#options.log(
          `the certificate stays the one from before: ${trouble}`,
          { level: "error" },
        );
      }
      this.#trouble = trouble;
    }
    this.#warnOfExpiry();
    this.#arm();
  }

  #take(found: Identity): void {
    this.#current = found;
    this.#warnedMs = -Infinity;
    for (const tell of this.onChange) tell();
    const { validTo } = certificatesOf(found.cert)[0]!;
    this.#options.log(
      `new connections get the certificate of ${this.#files.cert} as it is ` +
        `now, valid until ${new Date(validTo).toISOString()}`,
      { level: "info" },
    );
  }

  /** Once a day, and at once of others. */
  #warnOfExpiry(): void {
    const { clock, log } = this.#options;
    const nowMs = clock.wallMs();
    if (nowMs - this.#warnedMs < DAY_MS) return;
    const { cert, ca } = this.#current;
    const files = [[this.#files.cert, cert], [this.#files.ca, ca]] as const;
    for (const [path, pem] of files) {
      if (pem === undefined) continue;
      const ends = certificatesOf(pem).map(({ validTo }) =>
        Date.parse(validTo)
      );
      const endMs = Math.min(...ends);
      if (endMs - nowMs >= EXPIRY_WARNING_DAYS * DAY_MS) continue;
      this.#warnedMs = nowMs;
      const isOver = endMs <= nowMs;
      log(
        `a certificate of ${path} ${isOver ? "has expired" : "expires"} ` +
          `(${new Date(endMs).toISOString()}): ` +
          `${isOver ? "clients refuse it" : "clients will refuse it then"}; ` +
          "put a new one into the file, it is taken within 10 s",
        { level: isOver ? "error" : "warn" },
      );
    }
  }

  #arm(): void {
    const { clock } = this.#options;
    this.#timer = clock.setTimer(CERTIFICATE_LOOK_MS, () => void this.look());
  }
}

async function readIdentity(
  { cert, key, ca }: CertificateFiles,
  read: (path: string) => Promise<string> = readSmallFile,
): Promise<Identity> {
  const identity = {
    cert: await readAs("--tls-cert", cert, read),
    key: await readAs("--tls-key", key, read),
    ...ca !== undefined && { ca: await readAs("--client-ca", ca, read) },
  };
  fits(`--tls-cert ${cert}`, () => certificatesOf(identity.cert));
  fits(`--tls-key ${key}`, () => checkPair(identity));
  if (identity.ca !== undefined) {
    fits(`--client-ca ${ca}`, () => certificatesOf(identity.ca!));
  }
  fits(`--tls-cert ${cert}`, () => createSecureContext(identity));
  return identity;
}

async function readAs(
  flag: string,
  path: string,
  read: (path: string) => Promise<string>,
): Promise<string> {
  try {
    return await read(path);
  } catch (error) {
    const reason = error instanceof Deno.errors.NotFound
      ? "there is no such file"
      : messageOf(error);
    throw new Error(`${flag} ${path}: ${reason}`, { cause: error });
  }
}

function fits(what: string, check: () => unknown): void {
  try {
    check();
  } catch (error) {
    throw new Error(`${what}: ${messageOf(error)}`, { cause: error });
  }
}

async function readSmallFile(path: string): Promise<string> {
  const { size } = await Deno.stat(path);
  if (size > MAX_CREDENTIALS_BYTES) throw new Error("is larger than 1 MiB");
  return await Deno.readTextFile(path);
}

function isSame(a: Identity, b: Identity): boolean {
  return a.cert === b.cert && a.key === b.key && a.ca === b.ca;
}
