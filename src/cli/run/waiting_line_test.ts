import assert from "node:assert/strict";
import type { Holder } from "../../client/backend.ts";
import { WaitingLine } from "./waiting_line.ts";

Deno.test("the waiting line says the time of now, not of when the server said it", async () => {
  const { promise, resolve } = Promise.withResolvers<Holder>();
  const line = new WaitingLine({ waiting: resolve }, { silentMs: 50 });
  line.is({ holder: "10.0.0.7:1", computingMs: 1_000 });
  const { holder, computingMs } = await promise;
  line.end();
  assert.equal(holder, "10.0.0.7:1");
  // By how much is for the machine to say: it may have held us up before that.
  assert(computingMs > 1_000, `${computingMs}`);
});
