/**
 * A file with a hole in it, so long that its Done is answered before it has
 * been hashed; it takes next to no room on a disk.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";

/** Hashed in more than 500 ms. */
const SLOW_BYTES = 1024 ** 3;
/** What it begins and ends with. */
const MARK = Buffer.from("the value");
const MARKED = [0, SLOW_BYTES - MARK.length];

/** Writes the file. */
export async function writeSlowFile(path: string): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true });
  await file.truncate(SLOW_BYTES);
  for (const at of MARKED) {
    await file.seek(at, Deno.SeekMode.Start);
    await file.write(MARK);
  }
}

/** Looks at the length of the file, and at both of its ends. */
export async function assertSlowFile(path: string): Promise<void> {
  using file = await Deno.open(path);
  assert.equal((await file.stat()).size, SLOW_BYTES);
  for (const at of MARKED) {
    const found = Buffer.alloc(MARK.length);
    await file.seek(at, Deno.SeekMode.Start);
    await file.read(found);
    assert(found.equals(MARK), `wrong at byte ${at}: ${found}`);
  }
}
