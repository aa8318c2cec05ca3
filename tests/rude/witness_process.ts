/**
 * The polite client and the memory watch in a process of their own, where no
 * rude client takes the processor from them. A line in asks for a lap, a line
 * out is one.
 *
 * @module
 */

import { TextLineStream } from "../support/lines.ts";
import { MemoryWatch } from "./memory.ts";
import { PoliteClient } from "./polite.ts";

const [address, launcherPid] = Deno.args;
using polite = new PoliteClient(address!);
using memory = new MemoryWatch(Number(launcherPid));
await polite.start();
console.log("ready");

const lines = Deno.stdin.readable
  .pipeThrough(new TextDecoderStream())
  .pipeThrough(new TextLineStream());
for await (const _ of lines) {
  const seen = await polite.lap();
  console.log(JSON.stringify({ ...seen, ...memory.lap() }));
}
// Our parent has gone, or wants us to.
Deno.exit(0);
