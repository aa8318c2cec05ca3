/** larder doctor, on roots that are well and roots that are not. */

import assert from "node:assert/strict";
import { type Shell, withShell } from "./support.ts";

interface Finding {
  readonly name: string;
  readonly status: string;
  readonly text: string;
}

async function examine(
  shell: Shell,
  ...args: string[]
): Promise<{ code: number; status: Record<string, string> }> {
  const { code, stdout } = await shell.run(["doctor", ...args, "--json"]);
  const findings: Finding[] = JSON.parse(stdout);
  const status: Record<string, string> = {};
  for (const { name, status: is } of findings) status[name] ??= is;
  return { code, status };
}

Deno.test("doctor finds a served root in order", () =>
  withShell(async (shell) => {
    const { code, status } = await examine(shell, shell.server.root);
    assert.equal(code, 0);
    for (const name of ["server", "root", "owner", "mode", "served", "disk"]) {
      assert.equal(status[name], "ok", name);
    }
    assert.equal(status["port"], undefined);
    const text = await shell.ok("doctor");
    assert.match(text, /^ok {4}server {7}.*: larder \d+\.\d+\.\d+, /m);
    assert.match(text, /^\w+ +deno /m);
  }));

Deno.test("doctor says what is wrong with a root, and with an address", () =>
  withShell(async (shell) => {
    const away = ["--remote", "127.0.0.1:1"];
    const open = `${shell.folder}/open`;
    await Deno.mkdir(open);
    await Deno.chmod(open, 0o755);
    const { status } = await examine(shell, open, ...away);
    assert.equal(status["mode"], "warn");
    assert.equal(status["served"], "warn");
    assert.equal(status["server"], "warn");
    assert(status["port"] !== undefined);

    await shell.write("file", "");
    await Deno.symlink(open, `${shell.folder}/link`);
    for (const name of ["file", "link"]) {
      const bad = await examine(shell, name, ...away);
      assert.deepEqual([bad.code, bad.status["root"]], [1, "fail"], name);
    }
    const missing = await examine(shell, "missing", ...away);
    assert.equal(missing.status["root"], "warn");
    const unreachable = await examine(shell, ...away);
    assert.deepEqual(
      [unreachable.code, unreachable.status["server"]],
      [1, "fail"],
    );

    // Anybody's port, taken by something that is no Larder.
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    const { code, stdout } = await shell.run(
      ["doctor", open, "--remote", `127.0.0.1:${port}`],
    );
    assert.equal(code, 1);
    assert.match(
      stdout,
      new RegExp(`^fail {2}port .*:${port} is taken by another program`, "m"),
    );
  }));
