// Runs commands of `larder` one after the other in this process, each as if it
// were alone in it, on Deno and on Node. Each line that comes by the socket is a
// command, each that goes the exit code of one. stdout and stderr are files that
// are only added to.

import { connect } from "node:net";
import process from "node:process";
import { createInterface } from "node:readline";

/** What a program ends with that has thrown. */
const THREW = 1;

const ENV = { ...process.env };

/**
 * Runs what comes, until nothing comes any more, and ends the process.
 *
 * @param path Where the socket is.
 * @param main Runs a command; resolves to its exit code.
 */
export async function host(path, main) {
  const socket = connect(path);
  for await (const line of createInterface({ input: socket })) {
    socket.write(`${await run(JSON.parse(line), main)}\n`);
  }
  process.exit(0);
}

async function run({ args, folder, env }, main) {
  process.chdir(folder);
  Object.assign(process.env, env);
  try {
    return await main(args);
  } catch (error) {
    console.error("error:", error);
    return THREW;
  } finally {
    // Where the next one may be, whatever becomes of the folder.
    process.chdir("/");
    for (const name of Object.keys(env)) restore(name);
    for (const stream of [process.stdout, process.stderr]) {
      stream.removeAllListeners("error");
    }
  }
}

function restore(name) {
  const value = ENV[name];
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}
