/** Few file descriptors: connections are refused before they run out. */

import assert from "node:assert/strict";
import { temporaryFolder, within } from "../../src/launch/testing/program.ts";
import { RemoteClient } from "../support/clients.ts";
import { until } from "../support/status.ts";
import { retry } from "./traffic.ts";

const MAIN = new URL("../../src/main.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;
/** What many systems and containers give. */
const DESCRIPTORS = 1_024;
/** More than there are descriptors for. */
const CROWD = 1_500;

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
      ...[Deno.execPath(), CONFIG, MAIN, folder.path],
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
  using client = new RemoteClient(address!);
  const { id } = await client.assigned("tests", "before");

  const [hostname, port] = address!.split(":");
  const crowd: Deno.Conn[] = [];
  for (let at = 0; at < CROWD; at += 100) {
    const connections = Array.from(
      { length: 100 },
      () => Deno.connect({ hostname: hostname!, port: Number(port) }),
    );
    const settled = within("the crowd", Promise.allSettled(connections));
    for (const each of await settled) {
      if (each.status === "fulfilled") crowd.push(each.value);
    }
  }
  // Who was there before is served all the while, if on another connection.
  await retry(() => client.set(id, "value"));
  client.close();
  for (const connection of crowd) connection.close();
  // And whoever comes when they have gone.
  const asked = async () => {
    using another = new RemoteClient(address!);
    return await another.value("tests", "before").then(
      (v) => v.length,
      () => 0,
    );
  };
  await until(asked, (length) => length === 5);

  server.kill("SIGTERM");
  await reader.cancel();
  const stderr = await new Response(server.stderr).text();
  assert.equal((await server.status).code, 0);
  assert.match(
    stderr,
    /^larder: at most 324 connections: a process may open 1024 files here/,
  );
});
