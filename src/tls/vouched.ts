/**
 * Whether certificates vouch for a client that resumes a session of TLS. Such a
 * handshake shows no certificate and is held against nothing: it would let
 * somebody in whom `--client-ca`, or its end, has shut out since.
 *
 * @module
 */

import { X509Certificate } from "node:crypto";
import type { DetailedPeerCertificate } from "node:tls";

/** More of them between a client and an authority are a mistake. */
const MAX_CHAIN = 10;

/**
 * Whether one of the authorities, as they are now, vouches for a certificate.
 *
 * @param peer The client's, with those that it came with.
 * @param authorities Those of `--client-ca`.
 * @param nowMs Milliseconds since 1970.
 */
export function isVouchedFor(
  peer: DetailedPeerCertificate,
  authorities: readonly X509Certificate[],
  nowMs: number,
): boolean {
  let link: DetailedPeerCertificate | undefined = peer;
  for (let at = 0; at < MAX_CHAIN && link?.raw; at++) {
    const certificate: X509Certificate = new X509Certificate(link.raw);
    if (!isValid(certificate, nowMs)) return false;
    // Only who may vouch does: not whoever has any certificate of theirs.
    if (at > 0 && !certificate.ca) return false;
    const by = (other: X509Certificate) =>
      certificate.checkIssued(other) && certificate.verify(other.publicKey);
    if (authorities.some((each) => isValid(each, nowMs) && by(each))) {
      return true;
    }
    const next: DetailedPeerCertificate | undefined = link.issuerCertificate;
    if (!next?.raw || next === link || !by(new X509Certificate(next.raw))) {
      return false;
    }
    link = next;
  }
  return false;
}

function isValid({ validFrom, validTo }: X509Certificate, nowMs: number) {
  return Date.parse(validFrom) <= nowMs && nowMs < Date.parse(validTo);
}
