import assert from "node:assert/strict";
import { removeAny, type Trash } from "../../workers/removal.ts";
import { MemoryFiles } from "./testing/memory_files.ts";

const ROOT = "/root";
/** A call that descends so far ends the process. */
const DEPTH = 20_000;

/** Folders in folders, the deepest made first, and a file in each. */
function laid(files: MemoryFiles, path: string): void {
  files.mkdir(path, 0o777);
  for (let depth = 0; depth < DEPTH; depth++) {
    files.mkdir(`${ROOT}/around`, 0o777);
    files.create(`${ROOT}/around/file`, 0o600).close();
    files.rename(path, `${ROOT}/around/d`);
    files.rename(`${ROOT}/around`, path);
  }
}

/** Looks how deep the paths are that a removal names. */
class Watched extends MemoryFiles {
  deepest = 0;

  override remove(path: string): void {
    this.#look(path);
    super.remove(path);
  }

  override list(path: string): ReturnType<MemoryFiles["list"]> {
    this.#look(path);
    return super.list(path);
  }

  override removeFlat(path: string): Promise<void> {
    this.#look(path);
    assert(this.lstat(path).nlink === 2, "nothing is descended into");
    return super.removeFlat(path);
  }

  #look(path: string): void {
    this.deepest = Math.max(this.deepest, path.split("/").length - 2);
  }
}

Deno.test("however deep a folder is, nothing is entered deeper than one", async () => {
  for (const uid of [1_000, 0]) {
    const files = new Watched(ROOT, () => 0);
    files.mkdir(`${ROOT}/private`, 0o700);
    laid(files, `${ROOT}/deep`);
    let made = 0;
    const trash: Trash = {
      fs: files,
      uid,
      temporary: () => `${ROOT}/private/${++made}`,
    };
    for (const step of removeAny(trash, `${ROOT}/deep`)) await step;
    assert.deepEqual(await files.list(`${ROOT}/private`), []);
    assert.deepEqual((await files.list(ROOT)).map(({ name }) => name), [
      "private",
    ]);
    assert(files.deepest <= 3, `${files.deepest}`);
  }
});

Deno.test("what has a name that is not UTF-8 is told of, not passed over", () => {
  const files = new MemoryFiles(ROOT, () => 0);
  const trash: Trash = { fs: files, uid: 0, temporary: () => `${ROOT}/x` };
  assert.throws(
    () => removeAny(trash, `${ROOT}/\ufffd`).next(),
    /is not UTF-8: remove it by hand/,
  );
});
