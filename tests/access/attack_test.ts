/** What hostile callers try, and what they get. */

import { status } from "@grpc/grpc-js";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { sha256, sha256Hex } from "../../workers/digest.ts";
import { ALICE, EXPIRED, MALLORY } from "../support/certificates.ts";
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

const KEY = Buffer.from("k");
const POISON = { value: Buffer.from("poison"), sha256: sha256("poison") };

/** The same rules, but for those of one token. */
function rulesWith(token: string, rights: string): string {
  const rules = RULES.split("[[");
  const at = rules.findIndex((rule) => rule.includes(sha256Hex(token)));
  rules[at] = rules[at]!.replace(/^(read|write|admin) = .*$/m, rights);
  return rules.join("[[");
}

async function publishedBy(
  caller: Caller,
  namespace: string,
  value = "v",
): Promise<void> {
  const id = idOf(await caller.get(namespace, "k"));
  await caller.call(REMOTE, "Set", { id, value: Buffer.from(value) });
}

Deno.test("no page token names a namespace that its caller may not read", () =>
  guarded(async ({ as }) => {
    const other = as(TOKENS.other);
    for (const namespace of ["a", "aa", "b.c", "secret", "z"]) {
      await publishedBy(other, namespace);
    }
    const pages = async (token: string) => {
      const seen: string[] = [];
      let pageToken = "";
      do {
        const page = await as(token).call(V1, "Usage", {
          pageSize: 1,
          pageToken,
        });
        const namespaces = page["namespaces"] as { namespace: string }[];
        seen.push(...namespaces.map(({ namespace }) => namespace));
        pageToken = `${page["nextPageToken"]}`;
        if (pageToken) seen.push(`after ${Buffer.from(pageToken, "hex")}`);
      } while (pageToken);
      return seen;
    };
    assert.deepEqual(await pages(TOKENS.writer), [
      ...["a", "after a", "b.c", "after b.c"],
    ]);
    assert.deepEqual(await pages(TOKENS.reader), ["a", "after a"]);
  }));

Deno.test("what is not exactly one token within TLS is none", () =>
  guarded(async ({ server, as }) => {
    const heads = [
      TOKENS.admin,
      `Bearer ${TOKENS.admin}x`,
      `Bearer ${TOKENS.admin.toUpperCase()}`,
      `Bearer ${TOKENS.admin} ${TOKENS.admin}`,
      `Bearer ${TOKENS.admin}, Bearer ${TOKENS.admin}`,
      `Basic ${TOKENS.admin}`,
      `Bearer ${"x".repeat(6_000)}`,
    ];
    for (const head of heads) {
      const caller = as();
      caller.says(head);
      await refused(caller.call(V1, "Status", {}), status.UNAUTHENTICATED);
    }
    // A certificate that is known makes no token good that is not.
    const alice = as("guess", ALICE);
    await refused(alice.get("a", "k"), status.UNAUTHENTICATED);
    // Nor does a token get anybody past the handshake, or TLS.
    for (const pair of [MALLORY, EXPIRED]) {
      const caller = as(TOKENS.admin, pair);
      await refused(caller.get("a", "k"), status.UNAVAILABLE);
    }
    using plain = new Caller(server.remote, TOKENS.admin, null);
    await refused(plain.get("a", "k"), status.UNAVAILABLE);
  }));

Deno.test("another's id is unknown to every method", () =>
  guarded(async ({ server, as }) => {
    const { INVALID_ARGUMENT } = status;
    const other = as(TOKENS.other);
    using local = new Caller(server.local, TOKENS.writer);
    using thief = new Caller(server.local, TOKENS.other);
    const request = { namespace: "a", key: KEY, assign: true };
    const id = idOf(await local.call(LOCAL, "Get", request));
    const unknown = /is unknown, or the work was given/;
    for (const name of ["Heartbeat", "Done"]) {
      await refused(thief.call(LOCAL, name, { id }), INVALID_ARGUMENT, unknown);
    }
    for (const begin of [{ id }, { id, path: true }]) {
      const requests = [{ begin }, { end: {} }];
      await refused(thief.publish(requests), INVALID_ARGUMENT, unknown);
    }
    for (const name of ["Abandon", "PublishValue"]) {
      await refused(
        other.call(V1, name, { id, ...POISON }),
        INVALID_ARGUMENT,
        unknown,
      );
    }
    await refused(
      other.call(V1, "Release", { handle: id }),
      INVALID_ARGUMENT,
      /was never given out/,
    );
    // Who waits for it is not told whose it is, unless they look after it.
    const told = async (token: string) => {
      const [reply] = await as(token).stream("Fetch", request);
      return (reply!["waiting"] as { holder: string }).holder;
    };
    assert.equal(await told(TOKENS.other), "");
    assert.match(await told(TOKENS.admin), /^127\.0\.0\.1:/);
    // And its owner has lost nothing.
    await local.call(LOCAL, "Heartbeat", { id });
  }));

Deno.test("a Fetch gives no more than a Get, whatever it asks for", () =>
  guarded(async ({ as }) => {
    const { PERMISSION_DENIED } = status;
    const reader = as(TOKENS.reader);
    await publishedBy(as(TOKENS.other), "secret");
    const ways = [
      ...[{}, { head: true }, { path: true }, { wait: true, assign: true }],
      ...[{ offset: "1", length: "1" }, { fromDisk: true }, { ttlMs: "1" }],
    ];
    for (const way of ways) {
      for (const key of [KEY, Buffer.from("absent")]) {
        const request = { namespace: "secret", key, ...way };
        await refused(
          reader.stream("Fetch", request),
          PERMISSION_DENIED,
          /^"reader" does not have the right to read in "secret"$/,
        );
      }
    }
    const request = { namespace: "a", key: KEY, assign: true, wait: true };
    const [reply] = await reader.stream("Fetch", request);
    assert.ok(reply!["unassigned"]);
  }));

Deno.test("who waits or watches gets nothing more once the right to it has gone", () =>
  guarded(async ({ server, rules, as }) => {
    const { PERMISSION_DENIED } = status;
    const other = as(TOKENS.other);
    const id = idOf(await other.get("a", "k"));
    const absent = Buffer.from("absent");
    const second = idOf(await other.get("a", "absent"));
    const waits = (token: string, key: Buffer) => {
      const { promise, resolve } = Promise.withResolvers<unknown>();
      const request = { namespace: "a", key, assign: true, wait: true };
      const ended = as(token).stream("Fetch", request, resolve);
      return { begun: promise, ended };
    };
    const value = waits(TOKENS.reader, KEY);
    const work = waits(TOKENS.writer, absent);
    await Promise.all([value.begun, work.begun]);
    await Deno.writeTextFile(
      rules,
      rulesWith(TOKENS.reader, 'read = ["x"]')
        .replace('write = ["a", "b.*"]', 'read = ["a"]'),
    );
    await server.reload();
    const denied = [
      refused(value.ended, PERMISSION_DENIED, /right to read/),
      refused(work.ended, PERMISSION_DENIED, /right to write/),
    ];
    await other.call(REMOTE, "Set", { id, value: Buffer.from("v") });
    await other.call(V1, "Abandon", { id: second });
    await Promise.all(denied);
    // And the work is there for the next one.
    assert.ok((await other.get("a", "absent"))["assign"]);
    await Deno.writeTextFile(rules, RULES);
    await server.reload();
    const { promise: begun, resolve } = Promise.withResolvers<unknown>();
    const watched = as(TOKENS.admin).stream(
      "Watch",
      { intervalMs: 250 },
      resolve,
    );
    const blinded = refused(watched, PERMISSION_DENIED);
    await begun;
    await Deno.writeTextFile(
      rules,
      rulesWith(TOKENS.admin, 'write = ["*"]'),
    );
    await server.reload();
    await blinded;
  }));

Deno.test("who waits hears nothing of others' work either once the right to read has gone", () =>
  guarded(async ({ server, rules, as }) => {
    const other = as(TOKENS.other);
    const freed = idOf(await other.get("a", "freed"));
    const passed = idOf(await other.get("a", "passed"));
    const fetched = (token: string, key: string) => {
      const { promise, resolve } = Promise.withResolvers<unknown>();
      const request = { namespace: "a", key: Buffer.from(key), assign: true };
      const waiting = { ...request, wait: true };
      const ended = as(token).stream("Fetch", waiting, resolve);
      return { begun: promise, ended };
    };
    const waits = [
      fetched(TOKENS.reader, "freed"),
      fetched(TOKENS.reader, "passed"),
    ];
    const next = fetched(TOKENS.writer, "passed");
    await Promise.all([...waits, next].map(({ begun }) => begun));
    await Deno.writeTextFile(
      rules,
      rulesWith(TOKENS.reader, 'read = ["x"]'),
    );
    await server.reload();
    const why = /^"reader" does not have the right to read in "a"$/;
    const denied = waits.map(({ ended }) =>
      refused(ended, status.PERMISSION_DENIED, why)
    );
    for (const id of [freed, passed]) await other.call(V1, "Abandon", { id });
    const [replies] = await Promise.all([next.ended, ...denied]);
    assert.ok(replies.at(-1)!["assigned"]);
  }));

Deno.test("work is of no use once the right to publish it has gone", () =>
  guarded(async ({ server, rules, as }) => {
    const { INVALID_ARGUMENT } = status;
    const writer = as(TOKENS.writer);
    const id = idOf(await writer.get("a", "k"));
    const kept = idOf(await writer.get("b.c", "k"));
    await Deno.writeTextFile(
      rules,
      rulesWith(TOKENS.writer, 'write = ["b.*"]'),
    );
    await server.reload();
    const value = Buffer.from("poison");
    await refused(writer.call(REMOTE, "Set", { id, value }), INVALID_ARGUMENT);
    await refused(writer.call(REMOTE, "Heartbeat", { id }), INVALID_ARGUMENT);
    const parts = [{ begin: { id } }, { chunk: value }, { end: {} }];
    await refused(writer.publish(parts), INVALID_ARGUMENT);
    const whole = { id, ...POISON };
    await refused(writer.call(V1, "PublishValue", whole), INVALID_ARGUMENT);
    await writer.call(V1, "Abandon", { id });
    await writer.call(REMOTE, "Set", { id: kept, value });
    assert.ok((await as(TOKENS.other).get("a", "k"))["assign"]);
  }));
