import assert from "node:assert/strict";
import { open } from "node:fs/promises";
import { temporaryFolder } from "../launch/testing/program.ts";
import { fileBody, writeFileAt } from "./local_files.ts";

Deno.test("a file whose size cannot be told is closed, and let go of", async () => {
  using stack = new DisposableStack();
  await using folder = await temporaryFolder();
  const path = `${folder.path}/value`;
  await Deno.writeTextFile(path, "value");
  const handle = await open(path);
  const prototype = Object.getPrototypeOf(handle);
  await handle.close();
  const { stat, close } = prototype;
  stack.defer(() => Object.assign(prototype, { stat, close }));
  const calls: string[] = [];
  prototype.stat = () => Promise.reject(new Error("EIO"));
  prototype.close = function () {
    calls.push("closed");
    return close.call(this);
  };
  const released = () => {
    calls.push("released");
    return Promise.resolve();
  };
  await assert.rejects(fileBody(path, released), /cannot read .*EIO/);
  assert.deepEqual(calls, ["closed", "released"]);
});

Deno.test("a value that finds no room at its path is told as such", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/value`;
  await Deno.symlink("/dev/full", path);
  await assert.rejects(writeFileAt(path, Uint8Array.of(1)), {
    code: "full",
    message: /^cannot write to .*: no room for the value: ENOSPC/,
  });
});
