/** Connections by the thousand that do nothing. */

import assert from "node:assert/strict";
import { eachOf } from "../support/waiting.ts";
import { type RudeCase, rudeTest } from "./arena.ts";
import { RawClient } from "./raw_client.ts";

const IDLE = 5_000;
/** Descriptors that this process needs for other things. */
const RESERVE = 200;

/** How many connections this process may have. */
async function affordable(): Promise<number> {
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", "ulimit -Hn"],
  })
    .output();
  const limit = Number(new TextDecoder().decode(stdout));
  return Number.isNaN(limit) ? IDLE : Math.min(IDLE, limit - RESERVE);
}

/** Opens as many as it can, in the given manner. */
function idle(
  name: string,
  open: (port: number) => Promise<RawClient>,
): RudeCase {
  return {
    name,
    async run({ port }) {
      const count = await affordable();
      using stack = new DisposableStack();
      let held = 0;
      await eachOf(count, 50, async () => {
        const client = await open(port).catch(() => undefined);
        if (client === undefined) return;
        stack.use(client);
        held++;
      });
      console.log(`rude: ${held} of ${count} connections were taken`);
      assert.ok(held > 0);
    },
  };
}

const cases: RudeCase[] = [
  idle("5,000 connections that have greeted and then idle", async (port) => {
    const client = await RawClient.greeted(port);
    if (await client.answersPing()) return client;
    client[Symbol.dispose]();
    throw new Error("refused");
  }),
  idle("5,000 connections that never say a word", RawClient.connect),
];

rudeTest("thousands of idle connections are borne", cases);
