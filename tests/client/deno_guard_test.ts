/** Deno's HTTP/2 must not take its process down when the server goes away. */

import assert from "node:assert/strict";
import { Child, denoCommand, startAgain, withServer } from "./support.ts";

const UNDER_LOAD = new URL("./programs/under_load.ts", import.meta.url);
/** Without the guard, one of some dozens is the end of the process. */
const RESTARTS = Number(Deno.env.get("LARDER_GUARD_RESTARTS") ?? 2);

Deno.test("a client under load outlives the server, stopped or killed, again and again", () =>
  withServer(async (first) => {
    await using client = new Child(denoCommand(UNDER_LOAD, first.remote));
    let server = first;
    for (let turn = 0; turn < RESTARTS; turn++) {
      // It is in the middle of its calls whenever it says so.
      assert.equal(await client.line(), "got a hundred", `restart ${turn}`);
      if (turn % 2 === 0) await server.stop();
      else await server.kill();
      server = await startAgain(server);
    }
    await using _last = server;
    for (let lines = 0; lines < RESTARTS; lines++) {
      assert.equal(await client.line(), "got a hundred");
    }
  }));
