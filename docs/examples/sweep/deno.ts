/**
 * The sweep on Deno.
 *
 * ```sh
 * deno run --allow-all docs/examples/sweep/deno.ts 127.0.0.1:28056 4
 * ```
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { Cache } from "../../../src/client/mod.ts";
import { sweep, work } from "./sweep.mjs";

const [remote = "127.0.0.1:28056", processes = "4", role] = Deno.args;
if (role === "work") {
  await using cache = await Cache.connect({ remote });
  await work(cache);
} else {
  const self = fileURLToPath(import.meta.url);
  const words = ["run", "--quiet", "--allow-all", self, remote, "1", "work"];
  await sweep([Deno.execPath(), ...words], Number(processes));
}
