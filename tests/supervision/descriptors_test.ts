/** Few file descriptors: connections are refused before they run out. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { temporaryFolder, within } from "../../src/launch/testing/program.ts";
import { until } from "../support/status.ts";

const LAUNCHER = fileURLToPath(
  new URL("../../src/main/launcher.ts", import.meta.url),
);
const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));
/** What many systems and containers give. */
const DESCRIPTORS = 1_024;
/** More than there are descriptors for. */
const CROWD = 1_500;

/**
 * HTTP/2 by hand: Deno's own client may crash when a server refuses it, which is
 * what this one does. The preface and SETTINGS; the server answers with its own.
 */
const GREETING = new Uint8Array([
  ...new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  ...[0, 0, 0, 4, 0, 0, 0, 0, 0],
]);
/** A server that is out of descriptors accepts, and says nothing. */
const SILENT_MS = 2_000;

async function isAnswered(connection: Deno.Conn): Promise<boolean> {
  const timer = setTimeout(() => close(connection), SILENT_MS);
  try {
    await connection.write(GREETING);
    return await connection.read(new Uint8Array(1024)) !== null;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It has been closed.
  }
}

function end(server: Deno.ChildProcess): void {
  try {
    // Its server goes with it.
    server.kill("SIGKILL");
  } catch {
    // It has ended.
  }
}

Deno.test("a server with few descriptors outlives a crowd of idle connections", async () => {
  await using folder = await temporaryFolder();
  const server = new Deno.Command("sh", {
    args: [
      "-c",
      `ulimit -n ${DESCRIPTORS} && exec "$0" run -q -A --config "$1" "$2" ` +
      'serve "$3" -r 127.0.0.1:0',
      ...[Deno.execPath(), CONFIG, LAUNCHER, folder.path],
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  using _ = { [Symbol.dispose]: () => end(server) };
  const reader = server.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let said = "";
  while (!said.includes("ready\n")) {
    said += (await reader.read()).value ?? assert.fail(said);
  }
  const [, address] = /RemoteCache on (\S+)/.exec(said)!;
  const [hostname, port] = address!.split(":");
  const connect = () =>
    Deno.connect({ hostname: hostname!, port: Number(port) });
  const newcomer = async () => {
    const connection = await within("a newcomer", connect());
    const answered = await isAnswered(connection);
    close(connection);
    return answered;
  };
  assert(await newcomer());

  const crowd: Deno.Conn[] = [];
  for (let at = 0; at < CROWD; at += 100) {
    const connections = Array.from({ length: 100 }, connect);
    const settled = within("the crowd", Promise.allSettled(connections));
    for (const each of await settled) {
      if (each.status === "fulfilled") crowd.push(each.value);
    }
  }
  // Idle connections give way: whoever comes is served, also beside them.
  await until(newcomer, (answered) => answered);
  for (const connection of crowd) close(connection);
  await until(newcomer, (answered) => answered);

  server.kill("SIGTERM");
  await reader.cancel();
  const stderr = await new Response(server.stderr).text();
  assert.equal((await server.status).code, 0);
  assert.match(
    stderr,
    /^\S+ warn {2}at most 658 connections: a process may open 1024 files here/,
  );
});
