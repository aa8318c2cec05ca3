import assert from "node:assert/strict";
import {
  ALICE,
  CA,
  EXPIRED,
  RENEWED,
  SERVER,
} from "../../tests/support/certificates.ts";
import { FakeClock } from "../clock.ts";
import { CERTIFICATE_LOOK_MS } from "../limits.ts";
import type { LogLevel } from "../log/log.ts";
import { Certificates } from "./certificates.ts";

const FILES = { cert: "/cert", key: "/key", ca: "/ca" };
const DAY_MS = 86_400_000;
/** When the certificates of the tests end. */
const END_MS = Date.UTC(2120, 0, 1);
/** When the one ended that has expired. */
const EXPIRED_MS = Date.UTC(2020, 0, 2);

class Disk {
  readonly files: Record<string, string> = {
    "/cert": SERVER.cert,
    "/key": SERVER.key,
    "/ca": CA,
  };
  readonly said: [LogLevel | undefined, string][] = [];
  changes = 0;

  constructor(readonly clock: FakeClock = new FakeClock()) {}

  async open(): Promise<Certificates> {
    const certificates = await Certificates.open(FILES, {
      clock: this.clock,
      log: (message, { level } = {}) => this.said.push([level, message]),
      read: (path) => {
        const text = this.files[path];
        return text === undefined
          ? Promise.reject(new Deno.errors.NotFound(path))
          : Promise.resolve(text);
      },
    });
    certificates.onChange.add(() => this.changes++);
    return certificates;
  }

  put({ cert, key }: { cert: string; key: string }): void {
    Object.assign(this.files, { "/cert": cert, "/key": key });
  }
}

Deno.test("Certificates are looked at every 10 s, and new ones are told of once", async () => {
  const disk = new Disk();
  using certificates = await disk.open();
  assert.deepEqual(certificates.current, { ...SERVER, ca: CA });
  for (let round = 0; round < 3; round++) {
    disk.clock.advance(CERTIFICATE_LOOK_MS);
    await certificates.look();
  }
  assert.deepEqual([disk.changes, disk.said.length], [0, 0]);
  disk.put(RENEWED);
  disk.clock.advance(CERTIFICATE_LOOK_MS);
  await certificates.look();
  assert.deepEqual(certificates.current, { ...RENEWED, ca: CA });
  assert.equal(disk.changes, 1);
  assert.match(disk.said[0]![1], /\/cert as it is now, valid until 2120/);
  assert.equal(disk.said[0]![0], "info");
});

Deno.test("Certificates that do not fit are told of once, and the last good ones stay", async () => {
  const disk = new Disk();
  using certificates = await disk.open();
  const bad: [Record<string, string>, RegExp][] = [
    [{ "/cert": RENEWED.cert }, /--tls-key \/key: the key is another/],
    [{ "/cert": "" }, /--tls-cert \/cert: holds no certificate/],
    [{ "/key": "x" }, /--tls-key \/key: the key is no private key/],
    [{ "/ca": "-----BEGIN" }, /--client-ca \/ca: holds no certificate/],
    [{ "/cert": SERVER.cert.replace("MII", "MIA") }, /--tls-cert \/cert: /],
  ];
  for (const [files, reason] of bad) {
    const before = { ...disk.files };
    Object.assign(disk.files, files);
    disk.said.length = 0;
    for (let round = 0; round < 2; round++) await certificates.look();
    assert.equal(disk.said.length, 1, `${reason}`);
    assert.match(disk.said[0]![1], reason);
    assert.doesNotMatch(disk.said[0]![1], /PRIVATE KEY/);
    Object.assign(disk.files, before);
    await certificates.look();
  }
  delete disk.files["/key"];
  await certificates.look();
  assert.match(disk.said.at(-1)![1], /--tls-key \/key: there is no such file/);
  assert.deepEqual(certificates.current, { ...SERVER, ca: CA });
  assert.equal(disk.changes, 0);
});

Deno.test("Certificates that clients refuse do not replace a good one", async () => {
  const disk = new Disk(new FakeClock(END_MS - 100 * DAY_MS));
  using certificates = await disk.open();
  disk.put(EXPIRED);
  for (let round = 0; round < 2; round++) await certificates.look();
  assert.deepEqual(certificates.current, { ...SERVER, ca: CA });
  assert.deepEqual(disk.said, [[
    "error",
    "the certificate stays the one from before: --tls-cert /cert: the " +
    "certificate has expired (2020-01-02T00:00:00.000Z)",
  ]]);
  // Not the older one either when both have.
  disk.clock.advance(101 * DAY_MS);
  await certificates.look();
  assert.deepEqual(certificates.current, { ...SERVER, ca: CA });
  assert.equal(disk.changes, 0);
});

Deno.test("Certificates that have expired, too, are taken when they are newer", async () => {
  const disk = new Disk(new FakeClock(END_MS + DAY_MS));
  disk.put(EXPIRED);
  using certificates = await disk.open();
  disk.put(SERVER);
  await certificates.look();
  assert.deepEqual(certificates.current, { ...SERVER, ca: CA });
});

Deno.test("Certificates that end soon, or have ended, are warned of once a day", async () => {
  const disk = new Disk(new FakeClock(END_MS - 15 * DAY_MS));
  using certificates = await disk.open();
  assert.equal(disk.said.length, 0);
  for (const [days, level] of [[1.5, "warn"], [15, "error"]] as const) {
    disk.said.length = 0;
    disk.clock.advance(days * DAY_MS);
    await certificates.look();
    await certificates.look();
    assert.deepEqual(
      new Set(disk.said.map(([level]) => level)),
      new Set([level]),
    );
    const ends = level === "warn" ? "expires" : "has expired";
    const texts = disk.said.map(([, text]) => text.split(" (")[0]);
    assert.deepEqual(texts, [
      `a certificate of /cert ${ends}`,
      `a certificate of /ca ${ends}`,
    ]);
  }
});

Deno.test("Certificates say when the first of each file ends, as it is now", async () => {
  const disk = new Disk();
  // Of a chain, the first one that ends breaks it.
  disk.put({ cert: SERVER.cert + EXPIRED.cert, key: SERVER.key });
  using certificates = await disk.open();
  const ca = { of: "client-ca", path: "/ca", endMs: END_MS };
  const chain = { of: "server", path: "/cert", endMs: EXPIRED_MS };
  assert.deepEqual(certificates.ends, [chain, ca]);
  disk.put(RENEWED);
  await certificates.look();
  assert.deepEqual(certificates.ends, [{ ...chain, endMs: END_MS }, ca]);
});

Deno.test("Certificates refuse to start with what cannot be used", async () => {
  const disk = new Disk();
  disk.put({ cert: ALICE.cert, key: SERVER.key });
  await assert.rejects(disk.open(), {
    name: "StartError",
    message: /^cannot speak TLS: --tls-key \/key: the key is another/,
  });
  // One that has expired may be all there is: clients say what they make of it.
  disk.put(EXPIRED);
  using _ = await disk.open();
  assert.match(disk.said[0]![1], /\/cert has expired/);
});
