/**
 * The certificate, its key and the client CA: read at the start, looked at again
 * while the server runs, and the last good ones kept.
 *
 * @module
 */

import { createSecureContext } from "node:tls";
import {
  CredentialFiles,
  type CredentialOptions,
  ExposedFile,
  readCredentials,
  whyKeyExposed,
  whyNot,
} from "../credential_files.ts";
import { messageOf, StartError } from "../errors.ts";
import { CERTIFICATE_LOOK_MS, EXPIRY_WARNING_DAYS } from "../limits.ts";
import {
  certificatesOf,
  checkAuthorities,
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

/** When the first certificate of a file ends. */
export interface CertificateEnd {
  /** Whose certificates they are: of the server, or of those that vouch for clients. */
  readonly of: "server" | "client-ca";
  readonly path: string;
  /** In milliseconds since 1970. */
  readonly endMs: number;
}

/** What listeners over TLS say who they are with. */
export class Certificates implements IdentitySource, Disposable {
  /** Called when there are others. */
  readonly onChange: Set<() => void> = new Set();
  readonly #paths: CertificateFiles;
  readonly #options: CredentialOptions;
  readonly #files: CredentialFiles<Identity>;
  #current: Identity;
  #ends: readonly CertificateEnd[];
  #warnedMs = -Infinity;

  private constructor(
    paths: CertificateFiles,
    options: CredentialOptions,
    { current, exposed }: {
      readonly current: Identity;
      readonly exposed: ExposedFile;
    },
  ) {
    this.#paths = paths;
    this.#options = options;
    this.#current = current;
    this.#ends = endsOf(paths, current);
    this.#warnOfExpiry();
    const { clock, log, read } = options;
    this.#files = new CredentialFiles({
      clock,
      log,
      everyMs: CERTIFICATE_LOOK_MS,
      exposed,
      read: () => readIdentity(paths, read),
      take: (found) => this.#take(found),
      stays: "the certificate stays the one from before",
      afterwards: () => this.#warnOfExpiry(),
    });
  }

  /**
   * Reads them for the first time.
   *
   * @throws {StartError} They cannot be read, or do not fit each other.
   */
  static async open(
    paths: CertificateFiles,
    options: CredentialOptions,
  ): Promise<Certificates> {
    try {
      const { key } = paths;
      const exposed = new ExposedFile(key, {
        log: options.log,
        why: (file) => whyKeyExposed(key, file),
      });
      await exposed.look();
      const current = await readIdentity(paths, options.read);
      checkIdentity(paths, current);
      return new Certificates(paths, options, { current, exposed });
    } catch (error) {
      throw new StartError(2, `cannot speak TLS: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  /** The last good ones. */
  get current(): Identity {
    return this.#current;
  }

  /** When each file of them ends; of several in a file the first one counts. */
  get ends(): readonly CertificateEnd[] {
    return this.#ends;
  }

  /** Looks whether there are others; whoever asks meanwhile is told with it. */
  look(): Promise<void> {
    return this.#files.look();
  }

  [Symbol.dispose](): void {
    this.#files[Symbol.dispose]();
  }

  #take(found: Identity): void {
    if (isSame(found, this.#current)) return;
    checkIdentity(this.#paths, found);
    this.#checkDates(found);
    this.#current = found;
    this.#ends = endsOf(this.#paths, found);
    this.#warnedMs = -Infinity;
    for (const tell of this.onChange) tell();
    const { validTo } = certificatesOf(found.cert)[0]!;
    this.#options.log(
      `new connections get the certificate of ${this.#paths.cert} as it is ` +
        `now, valid until ${new Date(validTo).toISOString()}`,
      { level: "info" },
    );
  }

  /** Throws of one that clients refuse, where the one from before is better. */
  #checkDates(found: Identity): void {
    const nowMs = this.#options.clock.wallMs();
    const now = datesOf(found);
    const before = datesOf(this.#current);
    const isGood = ({ fromMs, endMs }: Dates) =>
      fromMs <= nowMs && nowMs < endMs;
    if (isGood(now)) return;
    // Of two that are refused anyway, the newer one is the better one.
    if (!isGood(before) && now.endMs >= before.endMs) return;
    const [what, atMs] = now.endMs <= nowMs
      ? ["has expired", now.endMs]
      : ["is not valid yet", now.fromMs];
    throw new Error(
      `--tls-cert ${this.#paths.cert}: the certificate ${what} ` +
        `(${new Date(atMs).toISOString()})`,
    );
  }

  /** Once a day, and at once of others. */
  #warnOfExpiry(): void {
    const { clock, log } = this.#options;
    const nowMs = clock.wallMs();
    if (nowMs - this.#warnedMs < DAY_MS) return;
    for (const { path, endMs } of this.#ends) {
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
}

/** Read once: it is asked for with every look, and by whoever watches. */
function endsOf(
  { cert: path, ca: caPath }: CertificateFiles,
  { cert, ca }: Identity,
): readonly CertificateEnd[] {
  const server = { of: "server", path, endMs: firstEndMs(cert) } as const;
  if (ca === undefined || caPath === undefined) return [server];
  const endMs = firstEndMs(ca);
  return [server, { of: "client-ca", path: caPath, endMs }];
}

/** From when until when clients take a certificate, in milliseconds since 1970. */
interface Dates {
  readonly fromMs: number;
  readonly endMs: number;
}

/** Those of the server's own: of what comes with it, clients may know another. */
function datesOf({ cert }: Identity): Dates {
  const { validFrom, validTo } = certificatesOf(cert)[0]!;
  return { fromMs: Date.parse(validFrom), endMs: Date.parse(validTo) };
}

function firstEndMs(pem: string): number {
  const ends = certificatesOf(pem).map(({ validTo }) => Date.parse(validTo));
  return Math.min(...ends);
}

async function readIdentity(
  { cert, key, ca }: CertificateFiles,
  read: (path: string) => Promise<string> = readCredentials,
): Promise<Identity> {
  return {
    cert: await readAs("--tls-cert", cert, read),
    key: await readAs("--tls-key", key, read),
    ...ca !== undefined && { ca: await readAs("--client-ca", ca, read) },
  };
}

async function readAs(
  flag: string,
  path: string,
  read: (path: string) => Promise<string>,
): Promise<string> {
  try {
    return await read(path);
  } catch (error) {
    throw new Error(`${flag} ${path}: ${whyNot(error)}`, { cause: error });
  }
}

/** Throws where they cannot be used, or do not fit each other. */
function checkIdentity(
  { cert, key, ca }: CertificateFiles,
  identity: Identity,
): void {
  fits(`--tls-cert ${cert}`, () => certificatesOf(identity.cert));
  fits(`--tls-key ${key}`, () => checkPair(identity));
  if (identity.ca !== undefined) {
    fits(`--client-ca ${ca}`, () => checkAuthorities(identity.ca!));
  }
  fits(`--tls-cert ${cert}`, () => createSecureContext(identity));
}

function fits(what: string, check: () => unknown): void {
  try {
    check();
  } catch (error) {
    throw new Error(`${what}: ${messageOf(error)}`, { cause: error });
  }
}

function isSame(a: Identity, b: Identity): boolean {
  return a.cert === b.cert && a.key === b.key && a.ca === b.ca;
}
