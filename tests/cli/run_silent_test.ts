/** larder run beside a server that stands still after it has answered. */

import assert from "node:assert/strict";
import { withShellAndProcess } from "./support.ts";

Deno.test("a server that stands still while a command runs costs a few seconds", () =>
  withShellAndProcess(async (shell) => {
    const pid = await shell.server.serverPid();
    const line = `echo said; kill -STOP ${pid}; exit 3`;
    const args = ["run", "--ns", "sim", "--cache-failures", "--", "sh", "-c"];
    try {
      const child = shell.start([...args, line]);
      const reader = child.stdout.getReader();
      await reader.read();
      const startMs = performance.now();
      const stderr = await new Response(child.stderr).text();
      assert.equal((await child.status).code, 3);
      await reader.cancel();
      assert.match(stderr, /^larder: .*: not kept: .*no answer within.*\n$/);
      // Of 5 s; a patience of 10 s would come to more than 12.
      const ms = performance.now() - startMs;
      assert(ms < 11_000, `${ms} ms`);
    } finally {
      Deno.kill(pid, "SIGCONT");
    }
    assert.match((await shell.run([...args, "true"])).stderr, /stored/);
  }));
