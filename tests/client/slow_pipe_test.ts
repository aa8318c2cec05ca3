/** `larder get` into a pipe whose reader takes its time. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type Shell, withShell } from "../cli/support.ts";
import { testLarderOnEach } from "./runtimes.ts";

const SIZE = 16_000_000;
const FLAGS = ["--stall-timeout", "2s"];

async function readSlowly(
  shell: Shell,
  program: readonly string[],
): Promise<void> {
  const value = new Uint8Array(SIZE).fill(3);
  await shell.write("file", value);
  await shell.ok("put", "--ns", "tests.pipe", "k", "file");
  const line = `"$@" | (sleep 4; sha256sum)`;
  const { code, stdout, stderr } = await shell.run(
    ["get", "--ns", "tests.pipe", "k"],
    { program: ["bash", "-o", "pipefail", "-c", line, "bash", ...program] },
  );
  assert.equal(code, 0, stderr);
  const whole = createHash("sha256").update(value).digest("hex");
  assert.equal(stdout.split(" ")[0], whole);
}

testLarderOnEach(
  "when a producer or a reader is slow: larder get goes on",
  (program) => withShell((shell) => readSlowly(shell, program), FLAGS),
);
