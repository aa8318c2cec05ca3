/** What a worker does with the operations of one message, which it does in a row. */

import assert from "node:assert/strict";
import type { FromWorker, Op } from "../../workers/blob_protocol.ts";
import { BlobSession } from "../../workers/blob_session.ts";
import { Scheduler } from "../../workers/blob_steps.ts";
import { denoFiles } from "../../workers/deno_files.ts";
import type { FileSystem } from "../../workers/file_system.ts";
import { bytesOf, digestOf, nameOf } from "./testing/blob_store_contract.ts";
import { openTestRoot } from "./testing/test_root.ts";

/** A worker that runs here; gives what came of the operations of a message. */
function sessionOn(
  root: string,
  fs: FileSystem,
): (...ops: Op[]) => FromWorker {
  const scheduler = new Scheduler();
  let answer: FromWorker = [];
  const session = new BlobSession({
    fs,
    run: (steps, settle) => scheduler.run(steps, settle),
    post: (outcomes) => answer = outcomes,
  });
  const ino = String(Deno.lstatSync(root).ino);
  const config = { root, ino, strict: false, tag: "test", memory: "test" };
  session.hear({ config: { ...config, keepCaptures: false } });
  return (...ops) => {
    session.hear({ ops: ops.map((op, seq) => ({ seq: seq + 1, op })) });
    return answer;
  };
}

function putOf(which: number): Op {
  return { kind: "put", name: nameOf(which), value: bytesOf(100, which) };
}

Deno.test("each folder is looked at once in a message, and again in the next", async () => {
  await using harness = await openTestRoot();
  const { root, store } = harness;
  await store.put(nameOf(9), bytesOf(1));
  const looks: string[] = [];
  const hear = sessionOn(root, {
    ...denoFiles,
    lstat(path) {
      looks.push(path);
      return denoFiles.lstat(path);
    },
  });
  const folders = [root, `${root}/.private`, `${root}/space.one`];
  for (const first of [1, 4]) {
    looks.length = 0;
    const outcomes = hear(putOf(first), putOf(first + 1), putOf(first + 2));
    assert.equal(outcomes.filter((each) => "value" in each).length, 3);
    for (const folder of folders) {
      const count = looks.filter((path) => path === folder).length;
      assert.equal(count, 1, folder);
    }
  }
});

Deno.test("a folder that another worker removes while a message is done is made again", async () => {
  await using harness = await openTestRoot();
  const { root, store } = harness;
  await store.put(nameOf(9), bytesOf(1));
  await store.remove(nameOf(9));
  let isRemoved = false;
  const hear = sessionOn(root, {
    ...denoFiles,
    rename(from, to) {
      // Nothing is in it yet.
      if (!isRemoved) Deno.removeSync(`${root}/space.one`);
      isRemoved = true;
      denoFiles.rename(from, to);
    },
  });
  hear(putOf(1), putOf(2));
  for (const which of [1, 2]) {
    const bytes = bytesOf(100, which);
    assert.deepEqual(await store.read(nameOf(which), digestOf(bytes)), bytes);
  }
});
