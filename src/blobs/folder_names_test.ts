/** In which order names get onto the disk in strict mode. */

import assert from "node:assert/strict";
import { Folders } from "../../workers/blob_folders.ts";
import { nameOf } from "./testing/blob_store_contract.ts";
import { MemoryFiles } from "./testing/memory_files.ts";

const ROOT = "/root";

/** Notes what puts names on the disk, and what is renamed. */
class Noting extends MemoryFiles {
  readonly noted: string[] = [];

  override syncFolder(path: string): Promise<void> {
    this.noted.push(`sync ${path}`);
    return super.syncFolder(path);
  }

  override rename(from: string, to: string): void {
    this.noted.push(`rename to ${to}`);
    super.rename(from, to);
  }
}

Deno.test("in strict mode a folder's name is on the disk before a value is renamed into it", async () => {
  const files = new Noting(ROOT, () => 1);
  const folders = new Folders(files, {
    root: ROOT,
    ino: String(files.lstat(ROOT).ino),
    strict: true,
    tag: "test",
    memory: "test",
    keepCaptures: true,
  });
  const place = async (index: number) => {
    const from = folders.temporary();
    files.place(from, files.node("file"));
    const to = folders.value(nameOf(index), { create: true });
    for (const waits of folders.rename(from, to)) await waits;
    return `rename to ${to}`;
  };
  const first = await place(1);
  assert.deepEqual(files.noted, [`sync ${ROOT}`, first]);
  files.noted.length = 0;
  const second = await place(2);
  assert.deepEqual(files.noted, [second], "once is enough");
});
