/** `PublishValue`: a small value in one message. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { withSiteHere } from "./support.ts";

const VALUE = new TextEncoder().encode("a small value");

function requestOf(id: string, value = VALUE): object {
  return { id, value, sha256: createHash("sha256").update(value).digest() };
}

Deno.test("a value that comes in one message is published, once", () =>
  withSiteHere(async ({ remote }) => {
    const { id } = await remote.assigned("ns", "key");
    await remote.call("PublishValue", requestOf(id));
    // Again, as after an answer that was lost; what it is now changes nothing.
    await remote.call("PublishValue", requestOf(id, Uint8Array.of(1)));
    const { last } = await remote.fetched("ns", "key");
    assert.deepEqual(new Uint8Array(last.ready!.value), VALUE);
  }));

Deno.test("a value that is not what its digest says is not published, and may come again", () =>
  withSiteHere(async ({ remote }) => {
    const { id } = await remote.assigned("ns", "key");
    const wrong = { ...requestOf(id), value: Uint8Array.of(1) };
    await assert.rejects(remote.call("PublishValue", wrong), { code: 15 });
    const short = { ...requestOf(id), sha256: Uint8Array.of(1) };
    await assert.rejects(remote.call("PublishValue", short), { code: 3 });
    const { last } = await remote.fetched("ns", "key", { wait: false });
    assert.equal(last.reply, "waiting");
    await remote.call("PublishValue", requestOf(id));
    const { last: kept } = await remote.fetched("ns", "key");
    assert.deepEqual(new Uint8Array(kept.ready!.value), VALUE);
  }));

Deno.test("an id that is nobody's publishes nothing", () =>
  withSiteHere(async ({ remote }) => {
    await assert.rejects(remote.call("PublishValue", requestOf("7")), {
      code: 3,
    });
  }));
