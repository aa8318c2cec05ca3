/** larder doctor, on roots that are well and roots that are not. */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { diskFinding } from "../../src/cli/doctor/root.ts";
import { denoFinding } from "../../src/cli/doctor/tools.ts";
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

Deno.test("doctor refuses a root whose cache.sqlite is not Larder's, as serve does", () =>
  withShell(async (shell) => {
    const root = `${shell.folder}/foreign`;
    await Deno.mkdir(root, { mode: 0o700 });
    {
      using database = new DatabaseSync(`${root}/cache.sqlite`);
      database.exec("CREATE TABLE mine(manifest TEXT)");
    }
    const { code, stdout } = await shell.run(["doctor", root]);
    assert.equal(code, 1);
    assert.match(
      stdout,
      /^fail +root +Cannot open .*cache\.sqlite: it is not Larder's \(it has no table manifest\)\n +serve another root, or move it aside/m,
    );
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

    // As a disk looks where capitals make no difference.
    await Deno.writeTextFile(`${open}/cache.sqlite`, "");
    await Deno.link(`${open}/cache.sqlite`, `${open}/CACHE.SQLITE`);
    const alike = await examine(shell, open, ...away);
    assert.equal(alike.status["letters"], "warn");
    await Deno.remove(`${open}/cache.sqlite`);
    const foreign = await shell.run(["doctor", open, ...away]);
    assert.equal(foreign.code, 1);
    assert.match(
      foreign.stdout,
      /fail +root .*did not make \(.*CACHE\.SQLITE\)/,
    );

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

Deno.test("doctor knows how little disk is too little, and which Deno too old", () => {
  const MIB = 2 ** 20;
  const disks = [99 * MIB, 100 * MIB, 1023 * MIB, 1024 * MIB];
  assert.deepEqual(
    disks.map((free) => diskFinding(free).status),
    ["fail", "warn", "warn", "ok"],
  );
  const versions = ["1.46.3", "2.6.8", "2.7.0", "2.10.0", "2.9.6", undefined];
  const found = versions.map(denoFinding);
  assert.deepEqual(
    found.map(({ status }) => status),
    ["fail", "fail", "warn", "warn", "ok", "warn"],
  );
  for (const { status, remedy } of found) {
    assert.equal(remedy !== undefined, status !== "ok");
  }
});

Deno.test("doctor asks the server of the root, unless another one is named", () =>
  withShell(async (shell) => {
    const env = { LARDER_REMOTE: "127.0.0.1:1" };
    const { root, local } = shell.server;
    const { code, stdout } = await shell.run(["doctor", root], { env });
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`^ok +server +${local}: larder `, "m"));
    const named = ["doctor", root, "--remote", "127.0.0.1:1"];
    assert.match((await shell.run(named)).stdout, /^warn +server /m);
  }));
