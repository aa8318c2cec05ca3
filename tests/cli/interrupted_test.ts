/** get and put that are interrupted leave nothing behind. */

import assert from "node:assert/strict";
import { within } from "../support/waiting.ts";
import { withShell } from "./support.ts";

/** Is on its way for longer than it takes to see that it is. */
const LARGE = new Uint8Array(64 * 1024 * 1024);

Deno.test("an interrupted put gives the work back", () =>
  withShell(async (shell) => {
    const child = shell.start(["put", "--ns", "a", "k"], { stdin: LARGE });
    const writer = child.stdin.getWriter();
    await writer.write(new Uint8Array(1_000_000));
    await shell.untilLoading(1);
    child.kill("SIGINT");
    const { code } = await child.output();
    assert.equal(code, 130);
    await writer.abort().catch(() => {});
    // The lease would last an hour.
    assert.equal((await shell.json("usage"))["loading"], 0);
    assert.equal((await shell.run(["stat", "--ns", "a", "k"])).code, 1);
  }, ["--heartbeat-timeout", "1h"]));

Deno.test("an interrupted get removes what it has written so far", () =>
  withShell(async (shell) => {
    await shell.run(["put", "--ns", "a", "k"], { stdin: LARGE });
    const names = () => [...Deno.readDirSync(shell.folder)].length;
    for (const away of ["LARDER_LOCAL", "LARDER_REMOTE"]) {
      const address = away === "LARDER_LOCAL"
        ? {}
        : { LARDER_LOCAL: shell.server.local };
      const env = { ...address, [away]: "" };
      const child = shell.start(["get", "--ns", "a", "k", "-o", "o"], { env });
      const begun = async () => {
        while (names() === 0) await new Promise((done) => setTimeout(done, 1));
      };
      await within(begun(), "the begin of the file");
      child.kill("SIGTERM");
      assert.equal((await child.output()).code, 143);
      assert.equal(names(), 0);
    }
  }));
