/**
 * The program of one test file's commands: runs one after the other in this
 * process, each as if it were alone in it. To start a process costs ten times
 * what most of them do.
 *
 * `larder_host.ts SOCKET`, with stdout and stderr in files that are only added to.
 *
 * @module
 */

import process from "node:process";
import { main } from "../../src/main.ts";
import { TextLineStream } from "../support/lines.ts";
import type { HostedCommand } from "./hosted_larder.ts";

/** What a program of Deno's ends with that has thrown. */
const THREW = 1;

const [path] = Deno.args as [string];
const ENV = Deno.env.toObject();

async function run({ args, folder, env }: HostedCommand): Promise<number> {
  Deno.chdir(folder);
  for (const [name, value] of Object.entries(env)) Deno.env.set(name, value);
  try {
    return await main(args, {
      program: new URL("../../src/main.ts", import.meta.url).href,
      load: () => Promise.reject(new Error("no server runs in here")),
    });
  } catch (error) {
    console.error("error:", error);
    return THREW;
  } finally {
    // Where the next one may be, whatever becomes of the folder.
    Deno.chdir("/");
    for (const name of Object.keys(env)) restore(name);
    for (const stream of [process.stdout, process.stderr]) {
      stream.removeAllListeners("error");
    }
  }
}

function restore(name: string): void {
  const value = ENV[name];
  if (value === undefined) Deno.env.delete(name);
  else Deno.env.set(name, value);
}

const connection = await Deno.connect({ transport: "unix", path });
const writer = connection.writable.getWriter();
const lines = connection.readable
  .pipeThrough(new TextDecoderStream())
  .pipeThrough(new TextLineStream());
for await (const line of lines) {
  const code = await run(JSON.parse(line));
  await writer.write(new TextEncoder().encode(`${code}\n`));
}
process.exit(0);
