/**
 * The files of TLS that a client is given: what is wrong with one is said of it,
 * and not of all of them.
 *
 * @module
 */

import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { messageOf } from "../errors.ts";

/** A file, and how whoever gave it calls it: `ca`, `--ca`, `LARDER_CA`. */
export interface Named {
  readonly by: string;
  readonly path: string;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/;
const PRIVATE_KEY = /-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY-----/;

/** What there is where a file should be. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EISDIR: "is a folder, and no file",
  EACCES: "this user may not read it",
};

/**
 * Reads certificates.
 *
 * @throws {TypeError} The file cannot be read, or holds none.
 */
export function certificates(file: Named): string {
  const pem = textOf(file);
  const [first] = CERTIFICATE.exec(pem) ?? [];
  if (first === undefined) {
    const other = PRIVATE_KEY.test(pem)
      ? "holds a private key, and no certificate"
      : "holds no certificate as PEM";
    throw unfit(file, other);
  }
  try {
    new X509Certificate(first);
  } catch (error) {
    throw unfit(file, `its certificate cannot be read: ${messageOf(error)}`);
  }
  return pem;
}

/**
 * Reads the private key of a certificate.
 *
 * @throws {TypeError} The file cannot be read, holds none, or another's.
 */
export function privateKey(
  file: Named,
  { cert, pem }: { readonly cert: Named; readonly pem: string },
): string {
  const key = textOf(file);
  if (!PRIVATE_KEY.test(key)) {
    const other = CERTIFICATE.test(key)
      ? "holds a certificate, and no private key"
      : "holds no private key as PEM";
    throw unfit(file, other);
  }
  let readable;
  try {
    readable = createPrivateKey(key);
  } catch {
    // What is thrown might say something of the key.
    throw unfit(
      file,
      "its private key cannot be read: it has to be PEM, without a passphrase",
    );
  }
  const [first] = CERTIFICATE.exec(pem)!;
  if (!new X509Certificate(first).checkPrivateKey(readable)) {
    throw unfit(file, `is the key of another certificate than ${nameOf(cert)}`);
  }
  return key;
}

/** How a file is called in a message. */
export function nameOf({ by, path }: Named): string {
  return `${by} ${path}`;
}

function textOf(file: Named): string {
  try {
    return readFileSync(file.path, "utf8");
  } catch (error) {
    throw unfit(file, whyUnreadable(error), error);
  }
}

/** Why a file could not be read, in words. */
export function whyUnreadable(error: unknown): string {
  const { code = "" } = error as { code?: string };
  return REASONS[code] ?? messageOf(error);
}

function unfit(file: Named, why: string, cause?: unknown): TypeError {
  return new TypeError(`${nameOf(file)}: ${why}`, { cause });
}
