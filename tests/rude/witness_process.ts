/**
 * The polite client and the memory watch in a process of their own, where no
 * rude client takes the processor from them. A line in asks for a lap, a line
 * out is one.
 *
 * @module
 */

import { answerLines } from "../support/reporting_child.ts";
import { MemoryWatch } from "./memory.ts";
import { PoliteClient } from "./polite.ts";

const [address, launcherPid] = Deno.args;
using polite = await PoliteClient.start(address!);
using memory = new MemoryWatch(Number(launcherPid));
await answerLines(async () => {
  const seen = await polite.lap();
  return { ...seen, ...memory.lap() };
});
