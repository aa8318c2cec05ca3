/**
 * Strict durability as the kernel sees it: what has to be on the disk is synced
 * before the reply leaves.
 */

import assert from "node:assert/strict";
import { LocalClient, RemoteClient } from "../support/clients.ts";
import { withRoot } from "../support/root.ts";
import { ServerProcess } from "../support/server_process.ts";
import { rejectsWith } from "../support/status.ts";
import { whyNoTracer } from "../support/strace.ts";
import { type Call, trace, whileFailing } from "../support/syscalls.ts";

const NS = "tests.strict";
const CALLS = [
  ...["fsync", "fdatasync", "rename", "renameat", "renameat2"],
  ...["writev", "sendto"],
];
const VALUE = /\/tests\.strict\/[0-9a-f]{64}"/.source;

/** The steps that must be there, one after the other, others in between. */
const SET = {
  "the bytes are synced": /f(data)?sync\(\d+<[^>]*\/\.private\/tmp-/,
  "the folder's own name is synced": /f(data)?sync\(\d+<[^>]*\/ROOT>/,
  "they are renamed": new RegExp(`rename.*/\\.private/tmp-.*${VALUE}`),
  "the folder is synced": /f(data)?sync\(\d+<[^>]*\/tests\.strict>/,
  "the row is synced": /f(data)?sync\(\d+<[^>]*\/cache\.sqlite-wal>/,
  "the reply leaves": /(writev|sendto)\(\d+<TCP/,
};
const CAPTURE = {
  "the file is taken": /rename.*\/\.staging\/.*\/\.private\/taken-/,
};
const RECORD = {
  "the capture is synced": /f(data)?sync\(\d+<[^>]*\/\.private>/,
  "its digest is synced": SET["the row is synced"],
  "it is renamed": new RegExp(`rename.*/\\.private/captured-.*${VALUE}`),
  "the folder is synced": SET["the folder is synced"],
  "the row is synced": SET["the row is synced"],
  "the reply leaves": SET["the reply leaves"],
};
// Its name says so only when it is synced: the name alone may be on the disk
// before the bytes are.
const DONE_SMALL = {
  ...CAPTURE,
  "its copy is synced": SET["the bytes are synced"],
  "its name says so": /rename.*\/\.private\/tmp-.*\/\.private\/captured-/,
  ...RECORD,
};
const DONE_LARGE = {
  ...CAPTURE,
  "it is synced": /f(data)?sync\(\d+<[^>]*\/\.private\/taken-/,
  "its name says so": /rename.*\/\.private\/taken-.*\/\.private\/captured-/,
  ...RECORD,
};
/** After a rename that was not synced. */
const RETRY = {
  "the bytes are synced":
    /f(data)?sync\(\d+<[^>]*\/tests\.strict\/[0-9a-f]{64}>/,
  "the folder is synced": SET["the folder is synced"],
  "the row is synced": SET["the row is synced"],
  "the reply leaves": SET["the reply leaves"],
};

/** Each step begins after the one before has ended. */
function assertInOrder(
  calls: readonly Call[],
  steps: Record<string, RegExp>,
): void {
  let ended = -1;
  for (const [what, pattern] of Object.entries(steps)) {
    const call = calls.find(({ begin, text }) =>
      begin > ended && pattern.test(text)
    );
    const all = calls.map(({ text }) => text).join("\n");
    assert(call, `not in its place: ${what}\n${all}`);
    ended = call.end;
  }
}

/** The server's calls while something is asked of it. */
async function callsDuring(
  call: () => Promise<unknown>,
  { pid, root }: { pid: number; root: string },
): Promise<Call[]> {
  const tracing = await trace(pid, CALLS);
  await call();
  const calls = await tracing.stop();
  return calls.map((call) => ({
    ...call,
    text: call.text.replaceAll(`${root}>`, "/ROOT>"),
  }));
}

Deno.test("in strict mode a reply leaves after every sync that it needs", async () => {
  const missing = await whyNoTracer();
  if (missing !== undefined) return console.log(`skipped: ${missing}`);
  await withRoot(async (root) => {
    await using server = await ServerProcess.start(root, {
      args: ["--durability", "strict"],
    });
    const pid = await server.serverPid();
    using local = new LocalClient(server.local);
    using remote = new RemoteClient(server.remote);
    const traced = (call: () => Promise<unknown>) =>
      callsDuring(call, { pid, root });
    const { id } = await remote.assigned(NS, "set");
    assertInOrder(await traced(() => remote.set(id, "value")), SET);
    for (
      const [size, steps] of [[10, DONE_SMALL], [
        3_000_000,
        DONE_LARGE,
      ]] as const
    ) {
      const { id, path } = await local.assigned(NS, `done ${size}`);
      await Deno.writeFile(path, new Uint8Array(size));
      assertInOrder(await traced(() => local.done(id)), steps);
    }

    // The rename came about, its sync did not: the next Done makes up for it.
    const again = await local.assigned(NS, "again");
    await Deno.writeTextFile(again.path, "again");
    const folder = { names: ["fsync"], error: "EIO", paths: [`${root}/${NS}`] };
    await whileFailing(pid, folder, async () => {
      await rejectsWith("UNAVAILABLE", local.done(again.id));
    });
    assertInOrder(await traced(() => local.done(again.id)), RETRY);

    // The kernel lost bytes of a client, and says so once: they are not taken.
    const lost = await local.assigned(NS, "lost");
    await Deno.writeFile(lost.path, new Uint8Array(3_000_000));
    await whileFailing(pid, { names: ["fsync"], error: "EIO" }, async () => {
      await rejectsWith("UNAVAILABLE", local.done(lost.id));
    });
    await rejectsWith("FAILED_PRECONDITION", local.done(lost.id));
    await Deno.writeFile(lost.path, new Uint8Array(3_000_000));
    assertInOrder(await traced(() => local.done(lost.id)), DONE_LARGE);
  });
});
