/** Traces of calls, as somebody's collector gets them. */

import assert from "node:assert/strict";
import { InterceptingCall } from "@grpc/grpc-js";
import { bytesOf, LocalClient, RemoteClient } from "../support/clients.ts";
import { withRoot } from "../support/root.ts";
import { ServerProcess } from "../support/server_process.ts";
import { attribute, OtlpReceiver, type ReceivedSpan } from "./otlp.ts";

const PARENT = "b7ad6b7169203331";

/** A trace of a client's, by its number. */
function traceOf(number: number): string {
  return `${number}`.padStart(32, "0");
}

/** Sends a field with each call. */
function sending(traceparent: string) {
  return {
    interceptors: [
      // deno-lint-ignore no-explicit-any
      (options: any, next: any) =>
        new InterceptingCall(next(options), {
          start(metadata, listener, go) {
            metadata.set("traceparent", traceparent);
            go(metadata, listener);
          },
        }),
    ],
  };
}

function sampled(number: number, flags = "01") {
  return sending(`00-${traceOf(number)}-${PARENT}-${flags}`);
}

/** The tree of a trace: whom each span is a part of, by names. */
function tree(spans: Map<string, ReceivedSpan>): Record<string, string> {
  const names = new Map([
    [PARENT, "the client"],
    ...spans.values().map((span): [string, string] => [span.spanId, span.name]),
  ]);
  return Object.fromEntries(
    spans.values().map((
      { name, parentSpanId },
    ) => [name, names.get(parentSpanId) ?? "nobody"]),
  );
}

Deno.test("a traced call has parts for the engine and for each operation of the stores", async () => {
  await using receiver = new OtlpReceiver();
  await withRoot(async (root) => {
    // The launcher's child has only the root and its addresses.
    await using server = await ServerProcess.start(root, {
      args: [
        ...["--trace", "0", "--memory-cache-bytes", "0"],
        ...["--http", "127.0.0.1:0"],
      ],
      env: receiver.environment,
    });
    // Deno traces that by itself.
    await (await fetch(`http://${server.http}/metrics`)).text();
    let id = "";
    {
      using asking = new RemoteClient(server.remote, sampled(1));
      using setting = new RemoteClient(server.remote, sampled(2));
      using reading = new RemoteClient(server.remote, sampled(3));
      using unsampled = new RemoteClient(server.remote, sampled(4, "00"));
      using untraced = new RemoteClient(server.remote);
      ({ id } = await asking.assigned("sim.ring", "--token=s3cr3t"));
      await setting.call("Set", { id, value: bytesOf("value") });
      for (const client of [reading, unsampled, untraced]) {
        const { entryStatus } = await client.get("sim.ring", "--token=s3cr3t");
        assert.equal(entryStatus, "ready");
      }
      using writing = new LocalClient(server.local, sampled(5));
      const { id: local, path } = await writing.assigned("sim.ring", "file");
      await Deno.writeTextFile(path, "bytes");
      await writing.call("Done", { id: local });
    }
    assert.equal(await server.stop(), 0);
    const asked = receiver.trace(traceOf(1));
    assert.deepEqual(tree(asked), {
      "remote.RemoteCache/Get": "the client",
      "engine.get": "remote.RemoteCache/Get",
      "manifest.claim": "engine.get",
    });
    const call = asked.get("remote.RemoteCache/Get")!;
    assert.equal(call.kind, 2);
    assert.equal(attribute(call, "rpc.method"), "Get");
    assert.match(`${attribute(call, "larder.client")}`, /^127\.0\.0\.1:\d+$/);
    const engine = asked.get("engine.get");
    assert.equal(attribute(engine, "larder.namespace"), "sim.ring");
    assert.equal(attribute(engine, "larder.reply"), "assigned");
    for (const { startTimeUnixNano, endTimeUnixNano } of asked.values()) {
      assert.ok(BigInt(endTimeUnixNano) >= BigInt(startTimeUnixNano));
    }
    assert.deepEqual(tree(receiver.trace(traceOf(2))), {
      "remote.RemoteCache/Set": "the client",
      "engine.set": "remote.RemoteCache/Set",
      "blobs.put": "engine.set",
      "manifest.publish": "engine.set",
    });
    assert.deepEqual(tree(receiver.trace(traceOf(3))), {
      "remote.RemoteCache/Get": "the client",
      "engine.get": "remote.RemoteCache/Get",
      "blobs.read": "engine.get",
    });
    const done = receiver.trace(traceOf(5));
    assert.equal(tree(done)["files.capture"], "engine.done");
    assert.equal(tree(done)["files.install"], "engine.done");
    const others = receiver.spans.filter(({ name }) => name !== "GET");
    const traces = new Set(others.map(({ traceId }) => traceId));
    assert.deepEqual(traces, new Set([1, 2, 3, 5].map(traceOf)));
    const sent = JSON.stringify(receiver.spans);
    assert.ok(!sent.includes("s3cr3t") && !sent.includes(id), sent);
    // Traces, and neither metrics nor the log.
    assert.deepEqual(receiver.signals, new Set(["traces"]));
    assert.equal(server.stderr, "");
  });
});

Deno.test("a server whose collector is away serves, and says nothing of it", async () => {
  await withRoot(async (root) => {
    await using server = await ServerProcess.start(root, {
      args: ["--trace", "1"],
      // Nobody listens there.
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" },
    });
    {
      using client = new RemoteClient(server.remote);
      const { id } = await client.assigned("ns", "key");
      await client.call("Set", { id, value: bytesOf("value") });
      const { entryStatus } = await client.get("ns", "key");
      assert.equal(entryStatus, "ready");
    }
    assert.equal(await server.stop(), 0);
  });
});
