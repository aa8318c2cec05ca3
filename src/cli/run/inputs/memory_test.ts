import { deepEqual, equal } from "node:assert/strict";
import { statSync } from "node:fs";
import { sha256Hex } from "../../../../workers/digest.ts";
import { stampOf } from "./stamp.ts";
import { remembering } from "./memory.ts";

/** Long after every file of a test was made. */
const later = () => Date.now() + 60_000;

async function withFile(
  body: (at: { folder: string; path: string }) => Promise<void>,
): Promise<void> {
  const top = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${top}/in`, "A");
    await body({ folder: `${top}/memory`, path: `${top}/in` });
  } finally {
    await Deno.remove(top, { recursive: true });
  }
}

/** The hash of a file, with what is remembered. */
function hashOf(
  path: string,
  options: { folder: string; now?: () => number },
): Promise<string> {
  const look = (hashes: { of(path: string, info: unknown): Promise<string> }) =>
    hashes.of(path, statSync(path, { bigint: true }));
  return remembering("test", look as never, options);
}

/** Has a file remembered with another hash, which tells whether it is used. */
async function forge(folder: string, path: string, hash: string) {
  const line = `${stampOf(statSync(path, { bigint: true }))} ${hash}`;
  await Deno.writeTextFile(
    `${folder}/${sha256Hex("test")}`,
    `larder-hashes-1 ${sha256Hex(line)}\n${line}`,
  );
}

const FORGED = "f".repeat(64);

Deno.test("a file that is the same by its inode is not read again", () =>
  withFile(async ({ folder, path }) => {
    equal(await hashOf(path, { folder, now: later }), sha256Hex("A"));
    await forge(folder, path, FORGED);
    equal(await hashOf(path, { folder, now: later }), FORGED);
    // Of the same size, and with the time that it had.
    const { mtime, ctime } = await Deno.stat(path);
    do {
      await Deno.writeTextFile(path, "B");
      await Deno.utime(path, mtime!, mtime!);
    } while (Number((await Deno.stat(path)).ctime) === Number(ctime));
    equal(await hashOf(path, { folder, now: later }), sha256Hex("B"));
    await forge(folder, path, FORGED);
    await Deno.writeTextFile(`${path}2`, "C");
    // Its inode may be one that was given back.
    await Deno.link(path, `${path}3`);
    await Deno.rename(`${path}2`, path);
    equal(await hashOf(path, { folder, now: later }), sha256Hex("C"));
  }));

Deno.test("a file that changed in the last two seconds is not remembered", () =>
  withFile(async ({ folder, path }) => {
    const { ctime } = await Deno.stat(path);
    for (const ms of [-60_000, 0, 1_999]) {
      await hashOf(path, { folder, now: () => ctime!.getTime() + ms });
      deepEqual([...await names(folder)], [], `${ms}`);
    }
    await hashOf(path, { folder, now: () => ctime!.getTime() + 3_001 });
    equal((await names(folder)).length, 1);
  }));

async function names(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) =>
      name
    );
  } catch {
    return [];
  }
}

Deno.test("what was altered, or can be by others, is not believed", () =>
  withFile(async ({ folder, path }) => {
    await hashOf(path, { folder, now: later });
    const memory = `${folder}/${sha256Hex("test")}`;
    await forge(folder, path, FORGED);
    await Deno.chmod(memory, 0o666);
    equal(await hashOf(path, { folder }), sha256Hex("A"));
    await Deno.chmod(memory, 0o600);
    equal(await hashOf(path, { folder }), FORGED);
    const text = await Deno.readTextFile(memory);
    await Deno.writeTextFile(memory, text.replace(/ffff$/, "fffe"));
    equal(await hashOf(path, { folder }), sha256Hex("A"));
    await Deno.writeTextFile(memory, "\0");
    equal(await hashOf(path, { folder }), sha256Hex("A"));
  }));

Deno.test("a memory that cannot be written is done without", () =>
  withFile(async ({ path }) => {
    const folder = "/dev/null/memory";
    equal(await hashOf(path, { folder, now: later }), sha256Hex("A"));
  }));
