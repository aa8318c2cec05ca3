/** A server that stands still takes no work from those who hold it. */

import assert from "node:assert/strict";
import { bytes, Cache } from "../../src/client/mod.ts";
import { withRoot } from "../support/root.ts";
import { ServerProcess } from "../support/server_process.ts";
import { NS } from "./scenarios.ts";

const KEYS = Array.from({ length: 10 }, (_, key) => key);
/** Longer than the lease. */
const STANDS_MS = 3_500;
const LEASE = ["--heartbeat-interval", "1s", "--heartbeat-timeout", "3s"];

Deno.test("when heartbeats do not come through: who waits gets no work while the server itself stands still", () =>
  withRoot(async (root) => {
    await using server = await ServerProcess.start(root, { args: LEASE });
    const { remote } = server;
    await using holder = await Cache.connect({ remote });
    await using other = await Cache.connect({ remote });
    const claims = await Promise.all(KEYS.map((key) => holder.claim(NS, key)));
    const ours = Uint8Array.of(1);
    const theirs = () => Uint8Array.of(2);
    const waiting = KEYS.map((key) =>
      other.generateDetailed(NS, key, theirs, { codec: bytes })
    );
    // Whoever asks now was there before.
    await other.get(NS, "another");
    const pid = await server.serverPid();
    Deno.kill(pid, "SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, STANDS_MS));
    Deno.kill(pid, "SIGCONT");
    await holder.get(NS, "another");
    let lost = 0;
    for (const claim of claims) {
      assert.equal(claim.kind, "assigned");
      await claim.held.publish(ours).catch(() => lost++);
    }
    const found = await Promise.all(waiting);
    const taken = found.filter(({ source }) => source !== "remote").length;
    assert.deepEqual({ lost, taken }, { lost: 0, taken: 0 });
  }));
