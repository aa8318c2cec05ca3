import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import type { DetailedPeerCertificate } from "node:tls";
import {
  ALICE,
  CA,
  FOREIGN,
  LATE,
  MALLORY,
} from "../../tests/support/certificates.ts";
import { certificatesOf } from "./pem.ts";
import { isVouchedFor } from "./vouched.ts";

const NOW_MS = Date.UTC(2027, 0, 1);

/** As `node:tls` tells of a client: its certificate, and those that follow. */
function shown(...chain: readonly string[]): DetailedPeerCertificate {
  const links = chain.map((pem) => ({ raw: new X509Certificate(pem).raw }));
  const joined = links.reduceRight<object | undefined>(
    (issuerCertificate, link) =>
      Object.assign(link, issuerCertificate && { issuerCertificate }),
    undefined,
  );
  return joined as DetailedPeerCertificate;
}

Deno.test("who resumes a session is vouched for by the authorities of now alone", () => {
  assert.ok(isVouchedFor(shown(ALICE.cert), certificatesOf(CA), NOW_MS));
  assert.ok(isVouchedFor(shown(ALICE.cert, CA), certificatesOf(CA), NOW_MS));
  assert.ok(
    isVouchedFor(shown(ALICE.cert), certificatesOf(FOREIGN + CA), NOW_MS),
  );
  assert.ok(
    !isVouchedFor(shown(ALICE.cert, CA), certificatesOf(FOREIGN), NOW_MS),
  );
  assert.ok(
    !isVouchedFor(shown(MALLORY.cert, FOREIGN), certificatesOf(CA), NOW_MS),
  );
});

Deno.test("time goes by for a session, too, and nobody vouches for another but authorities", () => {
  assert.ok(!isVouchedFor(shown(LATE.cert), certificatesOf(CA), NOW_MS));
  assert.ok(
    !isVouchedFor(shown(ALICE.cert), certificatesOf(CA), Date.UTC(2121, 0, 1)),
  );
  assert.ok(
    !isVouchedFor(shown(ALICE.cert), certificatesOf(CA), Date.UTC(2019, 0, 1)),
  );
  // A chain whose links do not belong to each other.
  assert.ok(!isVouchedFor(shown(MALLORY.cert, CA), certificatesOf(CA), NOW_MS));
  assert.ok(
    !isVouchedFor({} as DetailedPeerCertificate, certificatesOf(CA), NOW_MS),
  );
});
