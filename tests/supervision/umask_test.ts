/** A umask that would keep the server out of what it makes itself. */

import assert from "node:assert/strict";
import { withRoot } from "../support/root.ts";
import { ServerProcess } from "../support/server_process.ts";

/** Root may do what others may not, unless it gives that up. */
const AS_OTHERS = Deno.uid() === 0
  ? ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--"]
  : [];

Deno.test("a first start that cannot read what it has made says so in a line, and takes it away", () =>
  withRoot(async (root) => {
    const [program = "true", ...words] = AS_OTHERS;
    const probe = new Deno.Command(program, { args: [...words, "true"] });
    const { success } = await probe.output().catch(() => ({ success: false }));
    if (!success) return console.log("skipped: there is no setpriv(1)");
    // Without a launcher nobody sees to its umask.
    const through = [...AS_OTHERS, "sh", "-c", 'umask 777; exec "$@"', "sh"];
    await assert.rejects(
      ServerProcess.start(root, { through, confined: true }),
      /\nlarder: cannot use root .*: let this user read and write what is in it\n/,
    );
    assert.deepEqual([...Deno.readDirSync(root)], []);
  }));
