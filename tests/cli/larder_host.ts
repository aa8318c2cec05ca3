/**
 * The program of one test file's commands on Deno: to start a process costs ten
 * times what most of them do.
 *
 * `larder_host.ts SOCKET`
 *
 * @module
 */

import { main } from "../../src/main.ts";
import { host } from "./programs/host.mjs";

const [path] = Deno.args as [string];
const program = new URL("../../src/main.ts", import.meta.url).href;
await host(path, (args: readonly string[]) =>
  main(args, {
    program,
    load: () => Promise.reject(new Error("no server runs in here")),
  }));
