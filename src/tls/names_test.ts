import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import {
  ALICE,
  BOB,
  INJECTED,
  SERVER,
} from "../../tests/support/certificates.ts";
import { namesOf } from "./names.ts";

const of = (pem: string) =>
  namesOf(new Uint8Array(new X509Certificate(pem).raw));

Deno.test("namesOf gives URIs, then DNS names, and the common name only without them", () => {
  assert.deepEqual(of(ALICE.cert), ["spiffe://tests/alice", "alice.test"]);
  assert.deepEqual(of(SERVER.cert), ["localhost"]);
  assert.deepEqual(of(BOB.cert), ["bob"]);
});

Deno.test("namesOf takes no part of a name for another one", () => {
  // Its one URI is `spiffe://x, DNS:admin`: as text that looks like two names.
  assert.deepEqual(of(INJECTED.cert), ["ok.test"]);
});

Deno.test("namesOf gives no names of what is no certificate", () => {
  const der = new Uint8Array(new X509Certificate(ALICE.cert).raw);
  for (let length = 0; length < der.length; length++) {
    assert.deepEqual(namesOf(der.subarray(0, length)), []);
  }
});
