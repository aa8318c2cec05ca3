/**
 * The real server, with a manifest that throws where nothing may be thrown
 * when it is asked for an entry of the namespace `tests.broken`.
 *
 * @module
 */

import { runSick } from "./sick_server.ts";

await runSick(import.meta.url, {
  namespace: "tests.broken",
  instead() {
    throw new Error("a bug of ours");
  },
});
