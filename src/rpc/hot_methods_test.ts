import assert from "node:assert/strict";
import { Status } from "../grpc/status.ts";
import { getMethod, idMethod, setMethod } from "./hot_methods.ts";
import { EMPTY_PARTS } from "./replies.ts";
import { definitionOf } from "./testing/definitions.ts";

const METHODS = {
  local: ["Get", "Heartbeat", "Done", "Drop"],
  remote: ["Get", "Heartbeat", "Set"],
} as const;

Deno.test("the paths in the code are those of the .proto files", () => {
  for (const [service, names] of Object.entries(METHODS)) {
    for (const name of names) {
      const kind = service as keyof typeof METHODS;
      const prefix = kind === "local" ? "local.Local" : "remote.Remote";
      assert.equal(
        definitionOf(kind, name).path,
        `/${prefix}Cache/${name}`,
      );
    }
  }
});

Deno.test("an entry and a value outlive the buffer that they came in", () => {
  const get = getMethod("/a/Get", () => EMPTY_PARTS);
  for (const size of [3, 1_000]) {
    const key = new Uint8Array(size).fill(1);
    const message = new Uint8Array(
      definitionOf("local", "Get").requestSerialize({ namespace: "ns", key }),
    );
    const { entry } = get.decode(message, false);
    message.fill(0);
    assert.deepEqual(entry.key, key);
  }
  const value = new Uint8Array(100).fill(2);
  const set = { id: "5", value };
  const message = new Uint8Array(
    definitionOf("remote", "Set").requestSerialize(set),
  );
  const request = setMethod("/a/Set").decode(message, false);
  message.fill(0);
  assert.deepEqual(request, set);
});

Deno.test("a Get that was read before is known again, and no other one", () => {
  const get = getMethod("/a/Get", () => EMPTY_PARTS);
  const { requestSerialize } = definitionOf("local", "Get");
  const read = (request: object) =>
    get.decode(requestSerialize(request), false);
  const key = Uint8Array.of(0, 255);
  const asked = { namespace: "ns", key, assign: true };
  assert.equal(read({ ...asked }), read({ ...asked }));
  assert.equal(read({ ...asked, assign: false }).assign, false);
  const others = [{ ...asked, namespace: "nt" }, { ...asked, key: "AP4=" }];
  for (const other of others) {
    assert.notEqual(read(other).entry.name, read(asked).entry.name);
  }
  // More than are remembered.
  for (let at = 0; at < 5_000; at++) {
    const name = `n${at}`;
    assert.equal(read({ ...asked, namespace: name }).entry.namespace, name);
  }
  assert.deepEqual(read(asked).entry.key, key);
});

Deno.test("the value of a message of its own is not copied", () => {
  const value = new Uint8Array(100).fill(2);
  const message = new Uint8Array(
    definitionOf("remote", "Set").requestSerialize({ id: "5", value }),
  );
  const request = setMethod("/a/Set").decode(message, true);
  assert.equal(request.value.buffer, message.buffer);
});

Deno.test("what cannot be an entry is INVALID_ARGUMENT", () => {
  const get = getMethod("/a/Get", () => EMPTY_PARTS);
  const { requestSerialize } = definitionOf("local", "Get");
  const message = requestSerialize({ namespace: "no spaces" });
  const { fault } = get.decode(message, false);
  assert.equal(fault?.code, Status.INVALID_ARGUMENT);
  assert.match(fault.message, /invalid namespace "no spaces"/);
  assert.throws(() => idMethod("/a/Done").decode(Uint8Array.of(8), true), {
    code: Status.INVALID_ARGUMENT,
    message: /field 1 is cut short/,
  });
});
