/** larder doctor, on roots that are well and roots that are not. */

import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { diskFinding } from "../../src/cli/doctor/root.ts";
import { denoFinding } from "../../src/cli/doctor/tools.ts";
import { Edge } from "../../src/rpc/edge.ts";
import { ServerProcess } from "../support/server_process.ts";
import { withOriginal } from "../client/original_server.ts";
import { temporaryFolder } from "../../src/launch/testing/program.ts";
import { withRoot } from "../support/root.ts";
import { whileServedHere } from "../support/server_here.ts";
import { sideBySide } from "../support/side_by_side.ts";
import { hostedShells } from "./hosted_larder.ts";
import { Shell } from "./support.ts";

const withShell = await hostedShells();
const waits = sideBySide("what doctor waits for");

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

Deno.test("doctor knows a root that is shared, and one that gives its manifest away", () =>
  withRoot(async (folder) => {
    const root = `${folder}/root`;
    const args = ["--shared"];
    await whileServedHere(root, async (server) => {
      const shell = new Shell(folder, server);
      const said = async () =>
        (await shell.run(["doctor", root])).stdout
          .match(/^\w+ +mode +.*$/m)?.[0];
      assert.match(
        `${await said()}`,
        /^ok +mode +0711: shared with other users/,
      );
      await Deno.chmod(`${root}/cache.sqlite-wal`, 0o644);
      assert.match(
        `${await said()}`,
        /^fail +mode +0711, and others may read cache\.sqlite-wal/,
      );
    }, args);
  }));

Deno.test("a server is found by a name, and an empty variable is none", () =>
  withShell(async (shell) => {
    const [, port] = shell.server.remote.split(":");
    const named = { LARDER_REMOTE: `localhost:${port}`, LARDER_LOCAL: "" };
    const { code, stderr } = await shell.run(["ls"], { env: named });
    assert.deepEqual([code, stderr], [0, "larder: 0 entries, 0 B\n"]);
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

waits(
  "doctor says what is wrong with a root, and with an address",
  () =>
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
    }),
);

Deno.test("doctor knows how little disk is too little, and which Deno too old", () => {
  const MIB = 2 ** 20;
  const disks = [99 * MIB, 100 * MIB, 1023 * MIB, 1024 * MIB];
  assert.deepEqual(
    disks.map((free) => diskFinding(free, { isServed: false }).status),
    ["fail", "warn", "warn", "ok"],
  );
  // It says itself when it can keep nothing, by its own --min-free.
  const served = diskFinding(20 * MIB, { isServed: true });
  assert.equal(served.status, "warn");
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

Deno.test("doctor advises nothing about a folder that is somebody else's", () =>
  withShell(async (shell) => {
    const foreign = `${shell.folder}/photos`;
    await Deno.mkdir(foreign);
    await Deno.chmod(foreign, 0o755);
    await Deno.writeTextFile(`${foreign}/holiday.jpg`, "");
    const { code, stdout } = await shell.run(["doctor", foreign]);
    assert.equal(code, 1);
    assert.match(stdout, /^fail +root .*holiday\.jpg/m);
    assert(!stdout.includes("chmod"), stdout);
    assert(!/^\w+ +(mode|owner|writable|served) /m.test(stdout), stdout);
  }));

Deno.test("doctor forgets where a root was served once, and says how to serve it", () =>
  withShell(async (shell) => {
    const root = `${shell.folder}/old`;
    await Deno.mkdir(root, { mode: 0o700 });
    const before = await ServerProcess.start(root);
    await before.stop();
    const { stdout } = await shell.run(["doctor", root]);
    assert.match(
      stdout,
      new RegExp(`^ok +server +${shell.server.remote}: larder `, "m"),
    );
    assert(!stdout.includes(before.remote), stdout);
    assert.match(
      stdout,
      /^warn +served +no\n +.* task serve .*\/old serves it$/m,
    );
  }));

waits(
  "doctor says what answers where no Larder does",
  () =>
    withShell((shell) =>
      withOriginal(async (original) => {
        const edge = new Edge({ warn: () => {}, maxMessageBytes: 1_000_000 });
        const other = edge.listen("127.0.0.1:0", []);
        using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
        const { port } = silent.addr as Deno.NetAddr;
        const cases: [string, RegExp][] = [
          [other.address, /: it is a gRPC server, and no Larder$/m],
          [
            original.remote,
            /: it is an original server, of which get, put and run/m,
          ],
          [
            `127.0.0.1:${port}`,
            /: connections are accepted there, and nothing answers/m,
          ],
        ];
        try {
          for (const [address, words] of cases) {
            const args = ["doctor", "--remote", address];
            const { code, stdout } = await shell.run(args);
            assert.equal(code, 1);
            assert.match(
              stdout,
              new RegExp(
                `^fail +server +no Larder answers on ${address}: `,
                "m",
              ),
            );
            assert.match(stdout, words);
          }
        } finally {
          await other.close(0);
        }
      })
    ),
);

Deno.test("doctor looks at both addresses, and whether they are swapped", () =>
  withShell(async (shell) => {
    const { local, remote } = shell.server;
    const both = async (one: string, other: string) => {
      const args = ["doctor", "--local", one, "--remote", other];
      const { code, stdout } = await shell.run(args);
      assert.equal(code, 0, stdout);
      return stdout;
    };
    const right = await both(local, remote);
    assert.equal(right.match(/^ok +server .*: larder /gm)?.length, 2, right);
    const swapped = await both(remote, local);
    assert.match(
      swapped,
      /^warn +server .*; it is the remote listener, .*\n +give it as --remote/m,
    );
    assert.match(
      swapped,
      /^warn +server .*; it is the local listener, .*\n +give it as --local/m,
    );
    const dead = await both(local, "127.0.0.1:1");
    assert.match(dead, /^ok +server .*: larder /m);
    assert.match(
      dead,
      /^warn +server +no Larder answers on 127\.0\.0\.1:1\n.*leave --remote out/m,
    );
  }));

Deno.test("doctor sees that a root is served, though its server refuses this caller", async () => {
  await using folder = await temporaryFolder();
  const rules = `${folder.path}/access.toml`;
  await Deno.writeTextFile(rules, "[anyone.local]\n[anyone.remote]\n");
  await withShell(async (shell) => {
    const { root, local, remote } = shell.server;
    const env = { LARDER_REMOTE: "127.0.0.1:1" };
    const { code, stdout } = await shell.run(["doctor", root], { env });
    assert.equal(code, 1);
    const ends = `on ${local} and ${remote}$`;
    assert.match(
      stdout,
      new RegExp(`^ok +served +by process \\d+, ${ends}`, "m"),
    );
    assert.match(stdout, /^fail +server .*token/m);
    assert.doesNotMatch(stdout, /^\w+ +port /m);
  }, ["--access", rules]);
});

Deno.test("doctor says which proxy is between", () =>
  withShell(async (shell) => {
    const env = {
      http_proxy: "http://127.0.0.1:1",
      grpc_proxy: "",
      https_proxy: "",
      no_proxy: "",
      no_grpc_proxy: "",
      LARDER_REMOTE: "192.0.2.7:28056",
    };
    const { stdout } = await shell.run(["doctor"], { env });
    assert.match(
      stdout,
      /^warn +proxy +192\.0\.2\.7:28056 is reached through the proxy 127\.0\.0\.1:1, which http_proxy names\n +if it .*no_proxy=192\.0\.2\.7$/m,
    );
    // What answers past the proxy is not what calls reach.
    assert.doesNotMatch(stdout, /, and no Larder/);
    // As no_proxy is compared with hosts, which have no brackets.
    const sixth = { ...env, LARDER_REMOTE: "[2001:db8::7]:28056" };
    const named = await shell.run(["doctor"], { env: sixth });
    assert.match(named.stdout, /no_proxy=2001:db8::7$/m);
    // Of this machine no proxy is asked.
    const here = { ...env, LARDER_REMOTE: shell.server.remote };
    const own = await shell.run(["doctor"], { env: here });
    assert(!own.stdout.includes("proxy"), own.stdout);
  }));
