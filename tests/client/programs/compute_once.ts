/** Asks the server at the given address; prints what came, and each outage. */

import { Cache } from "../../../src/client/mod.ts";

await using cache = await Cache.connect({
  remote: Deno.args[0],
  onOutage: ({ error }) => console.log(error.message),
});
const { source } = await cache.generateDetailed("a", "k", () => 1);
console.log(source);
