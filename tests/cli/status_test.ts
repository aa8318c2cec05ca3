/**
 * `larder status`: one screen of what the server is doing.
 */

import assert from "node:assert/strict";
import { Cache } from "../../src/mod.ts";
import { hostedShells } from "./hosted_larder.ts";
import { withShellAndProcess } from "./support.ts";

const withShell = await hostedShells();

Deno.test("status says what is kept, who computes, and for how long", () =>
  withShell(async (shell) => {
    await using cache = await Cache.connect({ remote: shell.server.remote });
    const key = (text: string) => new TextEncoder().encode(text);
    await cache.set("sim", key("done"), "1234");
    await cache.get("sim", key("done"));
    const long = await cache.claim("sim", key("run 1"));
    assert.equal(long.kind, "assigned");
    const short = await cache.claim("sim", key("run 2"));
    assert.equal(short.kind, "assigned");

    const status = await shell.json("status");
    const known = {
      entries: status["entries"],
      bytes: status["bytes"],
      max_entries: status["max_entries"],
      max_bytes: status["max_bytes"],
      loading: status["loading"],
      hits: status["hits"],
      trouble: status["trouble"],
    };
    assert.deepEqual(known, {
      entries: 1,
      bytes: 6,
      max_entries: 10,
      max_bytes: 0,
      loading: 2,
      hits: 1,
      trouble: "",
    });
    assert.ok(Number(status["up_ms"]) > 0);
    assert.ok(Number(status["disk_bytes"]) > 0);
    const work = status["under_way"] as Record<string, unknown>[];
    assert.deepEqual(work.map((each) => each["key"]), ["run 1", "run 2"]);
    assert.match(`${work[0]!["holder"]}`, /^127\.0\.0\.1:\d+$/);
    assert.ok(Number(work[0]!["computing_ms"]) >= 0);

    const screen = await shell.ok("status");
    assert.match(screen, /^server +larder \d.*, up for /m);
    assert.match(screen, /^kept +6 B, 1 entry of 10 \(10 %\)$/m);
    assert.match(screen, /^under way +2 computed, /m);
    assert.match(screen, /^trouble +none$/m);
    assert.match(screen, / 127\.0\.0\.1:\d+ +0 waiting +sim run 1$/m);
    for (const line of screen.split("\n")) assert.ok(line.length <= 100, line);
  }, ["--max-entries", "10"]));

Deno.test("a server that is told to stop says what it waits for", () =>
  withShellAndProcess(async ({ server }) => {
    await using cache = await Cache.connect({ remote: server.remote });
    const claim = await cache.claim("sim", new TextEncoder().encode("run 1"));
    assert.equal(claim.kind, "assigned");
    assert.equal(await server.stop(), 0);
    const said = server.stderr.split("\n").map((line) =>
      line.replace(/^\S+ info {2}/, "").replace(/\b127\S+|[\d.]+$/g, "…")
    );
    assert.deepEqual(said, [
      "stopping: waits up to 1 s for 1 entry under way",
      "stopping: waits for what is computed namespace=sim " +
      `key="run 1" client=… seconds=…`,
      "stopped, with 1 entry still under way: whoever computes one can publish " +
      "it for --restart-grace after the next start",
      "",
    ]);
  }, ["--drain-timeout", "1s"]));
