/** A command says the same in a process of its own as after others in one. */

import assert from "node:assert/strict";
import { hostedShells } from "./hosted_larder.ts";
import { type Ended, larderCommand } from "./support.ts";

const withShell = await hostedShells();

const COMMANDS: readonly (readonly string[])[] = [
  ["ls", "a"],
  ["stat", "--ns", "a", "k"],
  ["stat", "--ns", "a", "absent"],
  ["get", "--ns", "a", "k"],
  ["usage"],
  ["status"],
  ["verify"],
  ["gc"],
  ["rm", "--ns", "a", "absent"],
  ["put", "--ns", "a", "k", "file"],
  ["run", "--ns", "a", "--", "sh", "-c", "echo said; echo more >&2"],
  ["run", "--ns", "a", "--", "sh", "-c", "exit 7"],
  ["doctor"],
  ["no-such-command"],
];

/** Without times and counts, which go on. */
function lasting({ code, stdout, stderr }: Ended): unknown[] {
  const [out, err] = [stdout, stderr].map((text) =>
    text.replaceAll(/just now|\d+(\.\d+)?( [a-zµ]+\b)?( ago)?/gi, "N")
      .replaceAll(/ +/g, " ")
  );
  return [code, out, err];
}

Deno.test("a command says the same in a process of its own, and after others in one", () =>
  withShell(async (shell) => {
    await shell.write("file", "value");
    await shell.ok("put", "--ns", "a", "k", "file");
    await shell.ok("run", "--ns", "a", ...COMMANDS[10]!.slice(3));
    const program = larderCommand();
    for (const args of COMMANDS) {
      const own = lasting(await shell.run(args, { program }));
      assert.deepEqual(lasting(await shell.run(args)), own, args.join(" "));
    }
  }));

Deno.test("what runs at the same time has processes of its own", () =>
  withShell(async (shell) => {
    const waits = ["run", "--ns", "a", "--", "sh", "-c"];
    const [first, second] = await Promise.all([
      shell.run([...waits, "until [ -e second ]; do sleep 0.01; done"]),
      shell.run([...waits, "touch second"]),
    ]);
    assert.deepEqual([first.code, second.code], [0, 0]);
  }));
