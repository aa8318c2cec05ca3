/** Clients that are still connected, and not there any more. */

import assert from "node:assert/strict";
import { until } from "../support/status.ts";
import { within } from "../support/waiting.ts";
import { type Arena, NS, type RudeCase, rudeTest } from "./arena.ts";
import { ClientProcess } from "./client_process.ts";

/** Short, so that the test need not wait for long. */
const FLAGS = ["--keepalive", "300ms", "--keepalive-timeout", "700ms"];

/** A client in a process of its own that has called, and what it costs. */
async function connected(
  arena: Arena,
): Promise<{ client: ClientProcess; socket: string }> {
  const before = await arena.sockets();
  const client = await ClientProcess.start(["idle", arena.remote, NS, "idle"]);
  const [socket, ...more] = [...(await arena.sockets()).difference(before)];
  assert.ok(socket !== undefined && more.length === 0, "one more connection");
  return { client, socket };
}

const cases: RudeCase[] = [
  {
    name: "a client that is frozen: its kernel answers, it does not",
    async run(arena) {
      const lively = await connected(arena);
      await using _lively = lively.client;
      const frozen = await connected(arena);
      await using _frozen = frozen.client;
      frozen.client.freeze();
      const sockets = await within(
        until(() => arena.sockets(), (open) => !open.has(frozen.socket)),
        "the end of the frozen client's connection",
      );
      // It was idle for longer, but it answers.
      assert.ok(sockets.has(lively.socket), "a lively client was dropped");
    },
  },
];

rudeTest("clients that vanish without a word are found", cases, FLAGS);
