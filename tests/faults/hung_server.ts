/**
 * The real server, whose manifest never answers for the namespace `tests.hung`,
 * as if its disk hung.
 *
 * @module
 */

import { runSick } from "./sick_server.ts";

await runSick(import.meta.url, {
  namespace: "tests.hung",
  instead: () => new Promise(() => {}),
});
