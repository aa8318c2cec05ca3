import assert from "node:assert/strict";
import { type ServiceDefinition, status } from "@grpc/grpc-js";
import type { Channel } from "./channel.ts";
import { V1Backend } from "./v1.ts";

const SMALL = Uint8Array.of(1, 2, 3);

/** A server that has PublishValue, or is older; notes what it is asked. */
class FakeChannel {
  readonly asked: string[] = [];
  readonly #isOlder: boolean;

  constructor(isOlder: boolean) {
    this.#isOlder = isOlder;
  }

  unary({ path }: ServiceDefinition[string]): Promise<unknown> {
    this.asked.push(path);
    if (!this.#isOlder) return Promise.resolve({});
    const error = { code: status.UNIMPLEMENTED };
    return Promise.reject(Object.assign(new Error("no such call"), error));
  }

  async clientStream(
    { path }: ServiceDefinition[string],
    requests: AsyncIterable<object>,
  ): Promise<unknown> {
    for await (const request of requests) {
      this.asked.push(`${path} ${Object.keys(request)}`);
    }
    return {};
  }
}

async function published(
  isOlder: boolean,
  ...values: readonly Uint8Array[]
): Promise<readonly string[]> {
  const channel = new FakeChannel(isOlder);
  const options = { paths: false, patienceMs: 0 };
  const backend = new V1Backend(channel as unknown as Channel, options);
  for (const value of values) await backend.publish("1", value, {});
  return channel.asked.map((each) => each.replace("/larder.v1.Cache/", ""));
}

const STREAM = ["Publish begin", "Publish chunk", "Publish end"];

Deno.test("a small value is published in one message, a larger one in pieces", async () => {
  assert.deepEqual(await published(false, SMALL), ["PublishValue"]);
  assert.deepEqual(
    await published(false, new Uint8Array(64 * 1024 + 1)),
    STREAM,
  );
});

Deno.test("a server that does not take a value in one message is asked once", async () => {
  assert.deepEqual(await published(true, SMALL, SMALL), [
    "PublishValue",
    ...STREAM,
    ...STREAM,
  ]);
});
