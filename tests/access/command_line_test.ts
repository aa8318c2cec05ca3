/** What the command line makes of tokens, and of settings about them. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { sha256Hex } from "../../workers/digest.ts";
import { Cache } from "../../src/client/mod.ts";
import { hostedShells } from "../cli/hosted_larder.ts";
import { withRoot } from "../support/root.ts";
import { ServerHere } from "../support/server_here.ts";
import { RULES, TOKENS } from "./guarded.ts";

const withShell = await hostedShells();

Deno.test("a server that asks for a token is no stranger, and a secret may end in a newline", () =>
  withRoot(async (root) => {
    const rules = join(root, "access.toml");
    const watcher = `[[token]]
name = "watcher"
sha256 = "${sha256Hex("watcher-token")}"
watch = true
`;
    await Deno.writeTextFile(rules, watcher + RULES);
    await using server = await ServerHere.start(join(root, "root"), {
      args: ["--access", rules],
    });
    await withShell(async (shell) => {
      const LARDER_REMOTE = server.remote;
      const doctor = (env: Record<string, string>) =>
        shell.run(["doctor"], { env: { LARDER_REMOTE, ...env } });
      const without = await doctor({});
      assert.match(without.stdout, /fail +server .*needs a token/);
      assert.doesNotMatch(without.stdout, /no Larder/);
      const watching = await doctor({ LARDER_TOKEN: "watcher-token" });
      assert.match(watching.stdout, /^ok +server .*: larder /m);
      const LARDER_TOKEN = `${TOKENS.admin}\n`;
      // A run that may only read, and by right keeps nothing, is no trouble.
      const env = { LARDER_TOKEN: TOKENS.reader, XDG_STATE_HOME: root };
      const run = ["run", "--ns", "a", "--", "echo", "said"];
      const reads = await shell.run(run, { env: { LARDER_REMOTE, ...env } });
      assert.equal(reads.stdout, "said\n");
      assert.match(reads.stderr, /and this caller may not publish/);
      // What all do together is not for them: nought would be no answer.
      const usage = async (LARDER_TOKEN: string) => {
        const env = { LARDER_REMOTE, LARDER_TOKEN };
        return (await shell.run(["usage"], { env })).stdout;
      };
      const lacks = /^larder \S+: what it does is for those with .*admin "\*"/m;
      assert.match(await usage(TOKENS.reader), lacks);
      assert.doesNotMatch(await usage(TOKENS.reader), /evicted|0 hits/);
      assert.match(await usage(TOKENS.admin), /being computed.*\n.* 0 hits/);
      const { stdout } = await doctor({ ...env, LARDER_TOKEN });
      assert.match(stdout, /^ok +server .*: larder /m);
      assert.match(stdout, /^ok +runs +none without the cache/m);
    });
  }));

Deno.test("a setting of TLS that would be without effect is refused", () =>
  withShell(async (shell) => {
    const wrong = [
      { args: ["--ca", ""], says: /--ca is empty/ },
      { args: ["--tls-on", "all"], says: /--tls-on needs --ca \(LARDER_CA\)/ },
    ];
    for (const { args, says } of wrong) {
      const { code, stdout, stderr } = await shell.run(["ls", ...args]);
      assert.deepEqual([code, stdout], [2, ""], stderr);
      assert.match(stderr, says);
    }
    await assert.rejects(
      Cache.connect({ remote: shell.server.remote, tlsOn: "all" }),
      /tlsOn needs ca/,
    );
  }));
