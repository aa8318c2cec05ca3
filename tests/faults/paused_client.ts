/**
 * A client that is stopped in the middle of its work, past its lease, and goes
 * on later as if nothing had been: `paused_client.ts LOCAL REMOTE NAMESPACE`.
 * It says on stdout when it has work, and after SIGCONT how its calls ended.
 *
 * @module
 */

import { LocalClient, RemoteClient } from "../support/clients.ts";

const [localAddress, remoteAddress, namespace] = Deno.args as [
  string,
  string,
  string,
];

/** The status code of a call. */
async function outcome(call: Promise<unknown>): Promise<number> {
  return await call.then(() => 0, ({ code }) => code);
}

using local = new LocalClient(localAddress);
using remote = new RemoteClient(remoteAddress);
const set = await remote.assigned(namespace, "set");
const done = await local.assigned(namespace, "done");
const file = await Deno.open(done.path, { create: true, write: true });
await file.write(new TextEncoder().encode("first, half of it"));
const heartbeats = setInterval(() => {
  // Those that come too late are refused, which is not what is asked here.
  for (const { id } of [set, done]) remote.heartbeat(id).catch(() => {});
}, Number(set.heartbeatIntervalMs));
const { promise: continued, resolve } = Promise.withResolvers<void>();
Deno.addSignalListener("SIGCONT", resolve);
console.log("working");
await continued;
Deno.removeSignalListener("SIGCONT", resolve);
clearInterval(heartbeats);
const late = {
  set: await outcome(remote.set(set.id, "first, late")),
  // Through the file that it has held open, and through the name.
  written: file.writeSync(new TextEncoder().encode("and the other half")),
  renamed: (await Deno.writeTextFile(done.path, "first, late"), true),
  done: await outcome(local.done(done.id)),
  heartbeat: await outcome(remote.heartbeat(set.id)),
};
file.close();
console.log(JSON.stringify(late));
