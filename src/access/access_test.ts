import assert from "node:assert/strict";
import { sha256Hex } from "../../workers/digest.ts";
import { FakeClock } from "../clock.ts";
import { StartError } from "../errors.ts";
import { ACCESS_LOOK_MS } from "../limits.ts";
import { peerName } from "../http2/mod.ts";
import { Access, type Door } from "./access.ts";
import { whyNotShared } from "./shared_files.ts";

const HERE: Door = { kind: "remote", isHere: true, isTls: false };
const PLAIN: Door = { kind: "remote", isHere: false, isTls: false };
const TLS: Door = { kind: "remote", isHere: false, isTls: true };

function rules(more = ""): string {
  return `[[token]]
name = "ci"
sha256 = "${sha256Hex("secret")}"
expires = ${new Date(EPOCH_MS + 60_000).toISOString()}
write = ["*"]
${more}`;
}

const EPOCH_MS = 1_700_000_000_000;

async function opened(text = rules()) {
  const clock = new FakeClock(EPOCH_MS);
  const said: string[] = [];
  const disk = { text };
  const access = await Access.open("/access", {
    clock,
    log: (message) => said.push(message),
    read: () => Promise.resolve(disk.text),
  });
  return { access, clock, said, disk };
}

const nameOf = (who: ReturnType<Access["whoIs"]>) =>
  typeof who === "string" ? who : who.name;

Deno.test("a token is known until it expires, or is taken out of the file", async () => {
  const { access, clock, said, disk } = await opened();
  using _ = access;
  const known = () => nameOf(access.whoIs(TLS, "Bearer secret", []));
  assert.equal(known(), "ci");
  assert.equal(nameOf(access.whoIs(TLS, "bearer  secret", [])), "ci");
  for (const other of ["secret", "Bearer ", "Bearer x", "Basic secret"]) {
    assert.match(`${access.whoIs(TLS, other, [])}`, /^the token is/, other);
  }
  clock.advance(59_999);
  await access.look();
  assert.equal(known(), "ci");
  clock.advance(1);
  assert.match(`${known()}`, /has expired/);
  disk.text = rules().replace(/expires.*\n/, "");
  clock.advance(ACCESS_LOOK_MS);
  await access.look();
  assert.equal(known(), "ci");
  disk.text = "[anyone.local]";
  clock.advance(ACCESS_LOOK_MS);
  await access.look();
  assert.match(`${known()}`, /is not known/);
  assert.equal(said.length, 2);
});

Deno.test("a file that is empty is an error that says what to do, at the start and later", async () => {
  const { access, clock, said, disk } = await opened();
  using _ = access;
  disk.text = "\n";
  clock.advance(ACCESS_LOOK_MS);
  await access.look();
  const words =
    /it is empty: larder token new NAME --file FILE .* makes an entry/;
  assert.match(said[0]!, words);
  assert.equal(nameOf(access.whoIs(TLS, "Bearer secret", [])), "ci");
  for (const text of ["", "\n \t\n", "# later\n\n  # [[token]]\r\n"]) {
    await assert.rejects(opened(text), (error) => {
      assert(error instanceof StartError);
      assert.equal(error.exitCode, 2);
      assert.match(error.message, words);
      return true;
    });
  }
});

Deno.test("rules that limit readers are refused where files are everybody's", async () => {
  const clock = new FakeClock(EPOCH_MS);
  const said: string[] = [];
  const disk = { text: rules() };
  const open = (isHere: boolean) =>
    Access.open("/access", {
      ...{ clock, log: (message: string) => void said.push(message) },
      read: () => Promise.resolve(disk.text),
      refuse: (rules) => whyNotShared(rules, { isHere }),
    });
  const limits = /limits who may read from LocalCache, .*--shared-groups/;
  await assert.rejects(open(false), limits);
  using access = await open(true);
  disk.text = rules("[anyone.local]\nread = ['public']");
  clock.advance(ACCESS_LOOK_MS);
  await access.look();
  assert.match(said[0]!, limits);
  await assert.rejects(open(true), limits);
  for (const right of ["read", "write", "admin"]) {
    disk.text = rules(`[anyone.local]\n${right} = ["*"]`);
    (await open(false))[Symbol.dispose]();
  }
});

Deno.test("a token is not taken in plain text beyond this machine", async () => {
  const { access } = await opened();
  using _ = access;
  assert.equal(nameOf(access.whoIs(HERE, "Bearer secret", [])), "ci");
  assert.match(
    `${access.whoIs(PLAIN, "Bearer secret", [])}`,
    /not taken in plain text/,
  );
  // A listener that others reach is called from this machine as well.
  for (const host of ["127.0.0.1", "127.9.8.7", "::1", "::ffff:127.0.0.1"]) {
    // By HTTP the port is not told.
    for (const client of [host, peerName(host, 1)]) {
      const who = access.whoIs(PLAIN, "Bearer secret", [], client);
      assert.equal(nameOf(who), "ci", client);
      const anyone = access.whoIs(PLAIN, undefined, [], client);
      assert.match(`${anyone}`, /needs a token/, client);
    }
  }
  for (const host of ["", "12.7.0.1", "::2", "1::1", "::ffff:192.0.2.1"]) {
    for (const client of [host, peerName(host, 1)]) {
      const who = access.whoIs(PLAIN, "Bearer secret", [], client);
      assert.match(`${who}`, /not taken in plain text/, client);
    }
  }
});

Deno.test("who has no name may all on this machine, and nothing beyond, unless the file says so", async () => {
  const { access, disk } = await opened();
  using _ = access;
  const anyone = (door: Door) => {
    const who = access.whoIs(door, undefined, ["unknown.example"]);
    return typeof who !== "string" && who.mayEverywhere("admin");
  };
  assert.deepEqual([HERE, TLS, PLAIN].map(anyone), [true, false, false]);
  disk.text = rules('[anyone.remote]\nadmin = ["*"]');
  await access.look();
  assert.deepEqual([HERE, TLS, PLAIN].map(anyone), [true, true, true]);
  disk.text = rules("[anyone.remote]");
  await access.look();
  assert.deepEqual([HERE, TLS, PLAIN].map(anyone), [false, false, false]);
});

Deno.test("a file that cannot be read at the start is refused, and later the last good one stays", async () => {
  await assert.rejects(opened("[["), {
    message: /^--access \/access: .*line 1/,
  });
  const { access, said, disk } = await opened();
  using _ = access;
  // One that somebody has only begun to write is no reason to let all in.
  for (const text of ["[[tokens]]", "", "\n"]) {
    disk.text = text;
    for (let round = 0; round < 2; round++) await access.look();
    assert.equal(nameOf(access.whoIs(TLS, "Bearer secret", [])), "ci", text);
  }
  assert.equal(said.length, 2);
  assert.equal(nameOf(access.whoIs(TLS, "Bearer secret", [])), "ci");
});

Deno.test("a call that is under way may what the rules say now", async () => {
  const { access, clock, disk } = await opened();
  using _ = access;
  const caller = () => {
    const who = access.whoIs(TLS, "Bearer secret", []);
    assert.ok(typeof who !== "string");
    return who;
  };
  const first = caller();
  disk.text = rules().replace("write", "read");
  await access.look();
  const second = caller();
  const rights = (right: "read" | "write") =>
    [first, second].map((who) => who.may(right, "a"));
  assert.deepEqual(rights("read"), [true, true]);
  assert.deepEqual(rights("write"), [false, false]);
  disk.text = rules();
  await access.look();
  assert.deepEqual(rights("write"), [true, true]);
  clock.advance(60_000);
  await access.look();
  assert.deepEqual(rights("write"), [false, false]);
  disk.text = rules().replace(/expires.*\n/, "");
  await access.look();
  assert.deepEqual(rights("write"), [true, true]);
  disk.text = rules().replace(/expires.*\n/, "").replace("ci", "other");
  await access.look();
  assert.deepEqual(rights("read"), [false, false]);
  assert.ok(caller().may("read", "a"));
});

Deno.test("a call without a name may what the rules say now", async () => {
  const { access, disk } = await opened(rules('[anyone.remote]\nread = ["*"]'));
  using _ = access;
  const who = access.whoIs(TLS, undefined, []);
  assert.ok(typeof who !== "string" && who.may("read", "a"));
  for (const more of ["[anyone.remote]", "[anyone.local]"]) {
    disk.text = rules(more);
    await access.look();
    assert.equal(who.may("read", "a"), false, more);
  }
});

Deno.test("calls of one name count together, also those from before new rules", async () => {
  const limited = (calls: number) =>
    rules(`limits = { calls = ${calls} }

[[token]]
name = "ci"
sha256 = "${sha256Hex("second")}"
read = ["*"]
limits = { calls = 3 }

[anyone.remote]
read = ["*"]
limits = { calls = 1 }
`);
  const { access, disk } = await opened(limited(2));
  using _ = access;
  const caller = (authorization?: string) => {
    const who = access.whoIs(TLS, authorization, []);
    assert.ok(typeof who !== "string");
    return who;
  };
  const [first, second] = [caller("Bearer secret"), caller("Bearer second")];
  assert.deepEqual([first.enter(), second.enter()], [undefined, undefined]);
  assert.equal(
    first.enter()?.message,
    '"ci" has 2 of the 2 calls under way that it may have, and asked for one ' +
      "more: come again when one has ended",
  );
  assert.equal(second.enter(), undefined);
  assert.match(`${second.enter()?.message}`, /^"ci" has 3 of the 3 calls/);
  const nobody = caller();
  assert.equal(nobody.enter(), undefined);
  assert.match(
    `${nobody.enter()?.message}`,
    /^callers without a name have 1 of the 1 .* may have together, and asked/,
  );
  disk.text = limited(4);
  await access.look();
  // Whoever had begun before is counted, and held against the new limit.
  assert.equal(first.enter(), undefined);
  assert.match(
    `${caller("Bearer secret").enter()?.message}`,
    /has 4 of the 4 /,
  );
  for (let calls = 0; calls < 4; calls++) first.leave();
  assert.equal(caller("Bearer secret").enter(), undefined);
  assert.match(`${caller().enter()?.message}`, /^callers without a name/);
  // Out of the rules and in again: what is under way has not been forgotten.
  disk.text = "[anyone.local]";
  await access.look();
  disk.text = limited(1);
  await access.look();
  assert.match(
    `${caller("Bearer secret").enter()?.message}`,
    /has 1 of the 1 /,
  );
  first.leave();
  assert.equal(caller("Bearer secret").enter(), undefined);
});
