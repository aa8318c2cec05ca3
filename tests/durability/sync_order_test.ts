/**
 * Strict durability as the kernel sees it: what has to be on the disk is synced
 * before the reply leaves.
 */

import assert from "node:assert/strict";
import { MAX_REPLY_WAIT_MS } from "../../src/limits.ts";
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

/** What the server did while it was asked for something. */
interface Traced {
  readonly calls: Call[];
  /** A Done that takes so long is answered when its file is captured. */
  readonly isLate: boolean;
}

/** The server's calls while something is asked of it. */
async function callsDuring(
  call: () => Promise<unknown>,
  { pid, root }: { pid: number; root: string },
): Promise<Traced> {
  const tracing = await trace(pid, CALLS);
  const beganMs = performance.now();
  await call();
  const isLate = performance.now() - beganMs >= MAX_REPLY_WAIT_MS;
  const calls = await tracing.stop();
  return {
    isLate,
    calls: calls.map((call) => ({
      ...call,
      text: call.text.replaceAll(`${root}>`, "/ROOT>"),
    })),
  };
}

/** What a Done that is answered late waits for all the same. */
function whatComesFirst(
  steps: typeof DONE_SMALL | typeof DONE_LARGE,
): Record<string, RegExp> {
  const all = Object.entries(steps);
  const end = all.findIndex(([what]) => what === "the capture is synced") + 1;
  return {
    ...Object.fromEntries(all.slice(0, end)),
    "the reply leaves": SET["the reply leaves"],
  };
}

/** Tries with a key each time until one is in time, which a busy machine may not be. */
async function untilInTime(
  attempt: (key: string) => Promise<{ readonly isLate: boolean }>,
): Promise<void> {
  for (let tries = 0; tries < 20; tries++) {
    const { isLate } = await attempt(crypto.randomUUID());
    if (!isLate) return;
  }
  assert.fail("no call was answered in time");
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
    assertInOrder((await traced(() => remote.set(id, "value"))).calls, SET);
    const done = async (
      id: string,
      steps: typeof DONE_SMALL | typeof DONE_LARGE,
    ) => {
      const { calls, isLate } = await traced(() => local.done(id));
      assertInOrder(calls, isLate ? whatComesFirst(steps) : steps);
      return { isLate };
    };
    for (
      const [size, steps] of [[10, DONE_SMALL], [
        3_000_000,
        DONE_LARGE,
      ]] as const
    ) {
      await untilInTime(async (key) => {
        const { id, path } = await local.assigned(NS, key);
        await Deno.writeFile(path, new Uint8Array(size));
        return await done(id, steps);
      });
    }

    // The rename came about, its sync did not: the next Done makes up for it.
    const folder = { names: ["fsync"], error: "EIO", paths: [`${root}/${NS}`] };
    await untilInTime(async (key) => {
      const { id, path } = await local.assigned(NS, key);
      await Deno.writeTextFile(path, "again");
      let isLate = false;
      await whileFailing(pid, folder, async () => {
        const beganMs = performance.now();
        const failed = rejectsWith("UNAVAILABLE", local.done(id));
        await failed.catch((error) => {
          isLate = performance.now() - beganMs >= MAX_REPLY_WAIT_MS;
          if (!isLate) throw error;
        });
      });
      if (isLate) return { isLate };
      const retry = await traced(() => local.done(id));
      if (!retry.isLate) assertInOrder(retry.calls, RETRY);
      return retry;
    });

    // The kernel lost bytes of a client, and says so once: they are not taken.
    const lost = await local.assigned(NS, "lost");
    await Deno.writeFile(lost.path, new Uint8Array(3_000_000));
    await whileFailing(pid, { names: ["fsync"], error: "EIO" }, async () => {
      await rejectsWith("UNAVAILABLE", local.done(lost.id));
    });
    await rejectsWith("FAILED_PRECONDITION", local.done(lost.id));
    await Deno.writeFile(lost.path, new Uint8Array(3_000_000));
    await done(lost.id, DONE_LARGE);
  });
});
