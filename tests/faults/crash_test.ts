/** A few rounds of `deno task crash`, which runs 200. */

import { option, SEED } from "../rude/scale.ts";
import { crash } from "./crash.ts";

Deno.test("a server that is killed again and again under load loses nothing, serves nothing wrong, and is stuck with nothing", async () => {
  await crash(option("rounds") ?? 4, SEED);
});
