/** Tokens, certificates and rights, seen by real clients of a server with TLS. */

import { status } from "@grpc/grpc-js";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { Cache } from "../../src/client/mod.ts";
import { temporaryFolder } from "../../src/launch/testing/program.ts";
import { sha256Hex } from "../../workers/digest.ts";
import { ALICE } from "../support/certificates.ts";
import { ServerHere } from "../support/server_here.ts";
import {
  Caller,
  guarded,
  idOf,
  LOCAL,
  refused,
  REMOTE,
  RULES,
  TOKENS,
  V1,
} from "./guarded.ts";

Deno.test("who has no valid token is told so, whatever is asked", () =>
  guarded(async ({ as }) => {
    const { UNAUTHENTICATED } = status;
    await refused(as().get("a", "k"), UNAUTHENTICATED, /needs a token/);
    await refused(as("guess").get("a", "k"), UNAUTHENTICATED, /not known/);
    await refused(as(TOKENS.past).get("a", "k"), UNAUTHENTICATED, /expired/);
    await refused(as().call(V1, "Usage", {}), UNAUTHENTICATED);
    await refused(as().call(REMOTE, "Heartbeat", { id: "1" }), UNAUTHENTICATED);
    // Before anything of the request is looked at.
    await refused(as().get("no namespace", "k"), UNAUTHENTICATED);
  }));

Deno.test("rights hold by patterns of namespaces", () =>
  guarded(async ({ as }) => {
    const { PERMISSION_DENIED, INVALID_ARGUMENT } = status;
    const writer = as(TOKENS.writer);
    const reader = as(TOKENS.reader);
    for (const namespace of ["a", "b.c", "b.c.d"]) {
      assert.ok((await writer.get(namespace, "k"))["assign"], namespace);
    }
    for (const namespace of ["b", "ab", "a.b", "c"]) {
      await refused(
        writer.get(namespace, "k"),
        PERMISSION_DENIED,
        new RegExp(`^"writer" does not have .* to read in "${namespace}"$`),
      );
      const entry = { namespace, key: Buffer.from("k") };
      await refused(writer.call(V1, "Stat", entry), PERMISSION_DENIED);
    }
    // Rights come first: who has none there is not told what a name must be.
    for (const none of ["../x", "no spaces", ""]) {
      await refused(writer.get(none, "k"), PERMISSION_DENIED);
      await refused(as(TOKENS.admin).get(none, "k"), INVALID_ARGUMENT);
    }
    await refused(reader.call(REMOTE, "Set", { id: "1" }), PERMISSION_DENIED);
    await refused(reader.call(V1, "Abandon", { id: "1" }), PERMISSION_DENIED);
    await refused(
      reader.call(REMOTE, "Heartbeat", { id: "1" }),
      INVALID_ARGUMENT,
    );
    for (const name of ["Sweep", "Status"]) {
      await refused(as(TOKENS.other).call(V1, name, {}), PERMISSION_DENIED);
      await as(TOKENS.admin).call(V1, name, {});
    }
    const entry = { namespace: "a", key: Buffer.from("k") };
    for (const name of ["Delete", "Remove"]) {
      await refused(writer.call(V1, name, entry), PERMISSION_DENIED);
    }
  }));

Deno.test("a mere reader reads, and changes nothing", () =>
  guarded(async ({ as }) => {
    const writer = as(TOKENS.writer);
    const reader = as(TOKENS.reader);
    assert.ok((await reader.get("a", "absent"))["unassigned"]);
    const id = idOf(await writer.get("a", "k"));
    assert.ok((await reader.get("a", "k"))["loading"]);
    await writer.call(REMOTE, "Set", { id, value: Buffer.from("v") });
    assert.equal(`${(await reader.get("a", "k"))["ready"]}`, "v");
    const key = Buffer.from("k");
    const info = await reader.call(V1, "Stat", { namespace: "a", key });
    assert.equal(`${info["status"]}`, "2");
  }));

Deno.test("an id is its owner's alone, and another's is answered as unknown", () =>
  guarded(async ({ as }) => {
    const { INVALID_ARGUMENT } = status;
    const writer = as(TOKENS.writer);
    const other = as(TOKENS.other);
    const id = idOf(await writer.get("a", "k"));
    const unknown = (call: Promise<unknown>) =>
      refused(call, INVALID_ARGUMENT, /is unknown, or the work was given/);
    const value = Buffer.from("poison");
    await unknown(other.call(REMOTE, "Heartbeat", { id: "4711" }));
    await unknown(other.call(REMOTE, "Heartbeat", { id }));
    await unknown(other.call(REMOTE, "Set", { id, value }));
    await unknown(other.call(V1, "Abandon", { id, reason: "" }));
    await unknown(as(TOKENS.admin).call(REMOTE, "Set", { id, value }));
    await writer.call(REMOTE, "Set", { id, value: Buffer.from("v") });
    // Also after it has published.
    await unknown(other.call(REMOTE, "Set", { id, value }));
    await writer.call(REMOTE, "Set", { id, value });
    assert.equal(`${(await other.get("a", "k"))["ready"]}`, "v");
  }));

Deno.test("listings show what the caller may read", () =>
  guarded(async ({ as }) => {
    const other = as(TOKENS.other);
    for (const namespace of ["a", "b.c", "secret"]) {
      const id = idOf(await other.get(namespace, "k"));
      await other.call(REMOTE, "Set", { id, value: Buffer.from("v") });
    }
    const seen = async (token: string) => {
      const { namespaces } = await as(token).call(V1, "Usage", {});
      const names = namespaces as { namespace: string }[];
      return names.map(({ namespace }) => namespace);
    };
    assert.deepEqual(await seen(TOKENS.writer), ["a", "b.c"]);
    assert.deepEqual(await seen(TOKENS.reader), ["a"]);
    assert.deepEqual(await seen(TOKENS.admin), ["a", "b.c", "secret"]);
    // Sums of what others do are for admins.
    const [mine, all] = await Promise.all(
      [TOKENS.other, TOKENS.admin].map((token) =>
        as(token).call(V1, "Usage", {})
      ),
    );
    assert.deepEqual([mine!["misses"], all!["misses"]], ["0", "3"]);
    await refused(
      as(TOKENS.writer).call(V1, "List", { namespace: "secret" }),
      status.PERMISSION_DENIED,
    );
  }));

Deno.test("a certificate's name is as good as a token, and a new file holds at once", () =>
  guarded(async ({ server, rules, files, as }) => {
    const alice = as(undefined, ALICE);
    const id = idOf(await alice.get("a", "k"));
    await refused(alice.get("b.c", "k"), status.PERMISSION_DENIED);
    await alice.call(REMOTE, "Set", { id, value: Buffer.from("1") });
    const file = (name: string) => join(files, name);
    const { remote, local } = server;
    await using cache = await Cache.connect({
      ...{ remote, local, ca: file("ca.pem"), token: TOKENS.other },
      ...{ cert: file("bob.pem"), key: file("bob.key") },
    });
    assert.equal(await cache.generate("x.y", "k", () => 42), 42);
    const { source } = await cache.generateDetailed("x.y", "k", () => 0);
    assert.equal(source, "local");
    await Deno.writeTextFile(
      rules,
      RULES.replaceAll(sha256Hex(TOKENS.other), sha256Hex("new")),
    );
    await server.reload();
    await refused(as(TOKENS.other).get("a", "k"), status.UNAUTHENTICATED);
    await as("new").get("a", "k");
    await Deno.writeTextFile(rules, "[[tokens]]");
    await server.reload();
    assert.match(
      server.stderr,
      /the rights stay those from before: .*no such key/,
    );
    await as("new").get("a", "k");
    await cache.close();
  }));

Deno.test("handles are their owner's alone", () =>
  guarded(async ({ server, as }) => {
    const other = as(TOKENS.other);
    const id = idOf(await other.get("a", "k"));
    await other.call(REMOTE, "Set", { id, value: Buffer.from("v") });
    using local = new Caller(server.local, TOKENS.other);
    using reader = new Caller(server.local, TOKENS.reader);
    const request = { namespace: "a", key: Buffer.from("k"), assign: false };
    const ready = (await reader.call(LOCAL, "Get", request))["ready"];
    const handle = (ready as { id: string }).id;
    await refused(
      local.call(LOCAL, "Drop", { id: handle }),
      status.INVALID_ARGUMENT,
      /was never given out/,
    );
    await reader.call(LOCAL, "Drop", { id: handle });
  }));

Deno.test("after a restart an id is still its owner's alone", async () => {
  await using root = await temporaryFolder();
  await using files = await temporaryFolder();
  const rules = join(files.path, "access.toml");
  await Deno.writeTextFile(rules, RULES);
  const args = ["-l", "off", "--access", rules];
  let id = "";
  {
    await using server = await ServerHere.start(root.path, { args });
    using writer = new Caller(server.remote, TOKENS.writer, null);
    id = idOf(await writer.get("a", "k"));
  }
  await using server = await ServerHere.start(root.path, { args });
  using writer = new Caller(server.remote, TOKENS.writer, null);
  using other = new Caller(server.remote, TOKENS.other, null);
  const set = (caller: Caller, text: string) =>
    caller.call(REMOTE, "Set", { id, value: Buffer.from(text) });
  await refused(set(other, "poison"), status.INVALID_ARGUMENT, /is unknown/);
  await set(writer, "v");
  assert.equal(`${(await other.get("a", "k"))["ready"]}`, "v");
});
