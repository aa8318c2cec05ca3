/**
 * Certificates and keys as they stand in files.
 *
 * @module
 */

import { createPrivateKey, X509Certificate } from "node:crypto";

/** What the files say, as PEM. */
export interface Identity {
  /** Of the server, and of those that vouch for it. */
  readonly cert: string;
  /** Its private key. */
  readonly key: string;
  /** Of those that vouch for clients; absent: clients need no certificate. */
  readonly ca?: string;
}

/** Where listeners have it from. */
export interface IdentitySource {
  /** As it is now. */
  readonly current: Identity;
  /** Called when it is another. */
  readonly onChange: Set<() => void>;
}

const CERTIFICATE =
  /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** All certificates of a text; throws where one cannot be read, or none is. */
export function certificatesOf(pem: string): X509Certificate[] {
  const blocks = pem.match(CERTIFICATE) ?? [];
  if (blocks.length === 0) throw new Error("holds no certificate as PEM");
  return blocks.map((block) => new X509Certificate(block));
}

/** Throws unless the key is the certificate's. */
export function checkPair({ cert, key }: Identity): void {
  let privateKey;
  try {
    privateKey = createPrivateKey(key);
  } catch {
    // What is thrown might say something of the key.
    throw new Error("the key is no private key as PEM, without a passphrase");
  }
  if (!certificatesOf(cert)[0]!.checkPrivateKey(privateKey)) {
    throw new Error("the key is another certificate's");
  }
}

/**
 * Throws where one of them is nobody's authority: with a certificate of a server
 * or a client among them all might be meant to get in, and nobody would.
 */
export function checkAuthorities(pem: string): void {
  const other = certificatesOf(pem).find(({ ca }) => !ca);
  if (other === undefined) return;
  const [, name = "no name"] = /^CN=(.+)$/m.exec(other.subject) ?? [];
  throw new Error(
    `the certificate of ${name} is no authority and vouches for nobody: give ` +
      "the one of the authority that made those of the clients",
  );
}
