/** Other users of the machine with `--shared`: what they can do, and cannot. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { status } from "@grpc/grpc-js";
import { isCopyOnWrite } from "../../workers/copy_on_write.ts";
import { parseToml } from "../../src/toml.ts";
import { LocalClient, textOf } from "../support/clients.ts";
import { CacheClient } from "../v1/client.ts";
import { rejectsWith } from "../support/status.ts";
import { ServerProcess } from "../support/server_process.ts";
import {
  ALICE,
  as,
  BOB,
  GROUP,
  modeOf,
  othersTest,
  powerless,
  shellAs,
  withSharedFolder,
} from "./users.ts";

const serve = (root: string, ...args: string[]) =>
  ServerProcess.start(root, { args, through: powerless() });

/** Alice publishes what a line of the shell writes to `$1`. */
async function publish(
  client: LocalClient,
  key: string,
  line: string,
): Promise<string> {
  const { id, path } = await client.assigned("ns", key);
  const { code, stderr } = await shellAs(as(ALICE), line, path);
  assert.equal(code, 0, stderr);
  await client.done(id);
  return await pathOf(client, "ns", key);
}

async function pathOf(
  client: LocalClient,
  namespace: string,
  key: string,
): Promise<string> {
  const { ready } = await client.settled(namespace, key);
  assert(ready !== undefined && "path" in ready);
  return ready.path;
}

othersTest(
  "another user publishes, and who knows a key reads its file",
  () =>
    withSharedFolder(async (folder) => {
      const root = join(folder, "root");
      await using server = await serve(root, "--shared");
      using client = new LocalClient(server.local);
      const path = await publish(client, "small", 'printf mine > "$1"');
      const large = await publish(
        client,
        "large",
        'head -c 3000000 /dev/zero > "$1"',
      );
      for (const who of [ALICE, BOB]) {
        assert.equal((await shellAs(as(who), 'cat "$1"', path)).stdout, "mine");
        const { stdout } = await shellAs(as(who), 'wc -c < "$1"', large);
        assert.equal(stdout.trim(), "3000000");
      }
      for (const each of [path, large]) {
        const { uid, mode } = await Deno.lstat(each);
        assert.deepEqual([uid, mode! & 0o777], [0, 0o444]);
      }
      assert.equal(modeOf(root), "711");
      assert.equal(modeOf(root, ".staging"), "1733");
      assert.equal(modeOf(root, "ns"), "711");
      for (const own of [".private", ".quarantine"]) {
        assert.equal(modeOf(root, own), "700");
      }
      const manifest = ["cache.sqlite", "cache.sqlite-wal"];
      if (!isCopyOnWrite(root)) manifest.push("cache.sqlite-shm");
      for (const own of [...manifest, "Cache.toml"]) {
        assert.equal(modeOf(root, own), "600", own);
      }
      const said = await Deno.readTextFile(join(root, "Cache.toml"));
      assert.equal(parseToml(said)["shared"], true);
    }),
);

othersTest(
  "a file with holes that is larger than the disk is not written out",
  () =>
    withSharedFolder(async (folder) => {
      const root = join(folder, "root");
      await using server = await serve(root, "--shared");
      using client = new LocalClient(server.local);
      const { id, path } = await client.assigned("ns", "k");
      // ext4 allows files of 16 TiB.
      const line = 'truncate -s 15T "$1"';
      const { code, stderr } = await shellAs(as(ALICE), line, path);
      assert.equal(code, 0, stderr);
      await rejectsWith("RESOURCE_EXHAUSTED", client.done(id), /--min-free/);
      assert.deepEqual([...Deno.readDirSync(join(root, ".private"))], []);
      const again = await shellAs(as(ALICE), 'printf mine > "$1"', path);
      assert.equal(again.code, 0, again.stderr);
      await client.done(id);
      const kept = await pathOf(client, "ns", "k");
      assert.equal(await Deno.readTextFile(kept), "mine");
    }),
);

/** Keeps a lease on a file, which whoever opens it has to wait for. */
const HOLD_LEASE = `
  use constant { F_SETLEASE => 1024, F_WRLCK => 1 };
  $SIG{IO} = "IGNORE";
  umask 0;
  open(my $file, "+>", $ARGV[0]) or die;
  fcntl($file, F_SETLEASE, F_WRLCK) or die;
  $| = 1;
  print "held";
  sleep;
`;

othersTest(
  "what another user has made so that it cannot be read or removed is no trouble of the disk",
  () =>
    withSharedFolder(async (folder) => {
      const root = join(folder, "root");
      const args = ["--shared", "--restart-grace=100ms"];
      const hinder = 'umask 0; mkdir -p "$1/a"; : > "$1/a/c"; chmod 500 "$1/a"';
      {
        await using server = await serve(root, ...args);
        using client = new LocalClient(server.local);
        using admin = new CacheClient(server.remote);
        const { id, path } = await client.assigned("ns", "folder");
        const { code } = await shellAs(as(ALICE), hinder, path);
        assert.equal(code, 0);
        await rejectsWith("FAILED_PRECONDITION", client.done(id), /no regular/);
        const leased = await client.assigned("ns", "leased");
        const [program, ...words] = as(ALICE);
        const holder = new Deno.Command(program!, {
          args: [...words, "perl", "-e", HOLD_LEASE, leased.path],
          cwd: "/",
          stdout: "piped",
        }).spawn();
        try {
          const { value } = await holder.stdout.getReader().read();
          assert.equal(textOf(value!), "held");
          await rejectsWith(
            "FAILED_PRECONDITION",
            client.done(leased.id),
            /may not read/,
          );
          assert((await Deno.lstat(leased.path)).isFile, "it is Alice's again");
        } finally {
          holder.kill();
          await holder.status;
        }
        const { trouble } = await admin.call<{ trouble: string }>("Status");
        assert.equal(trouble, "");
        const again = await shellAs(as(ALICE), 'printf mine > "$1"', path);
        assert.equal(again.code, 0, again.stderr);
        await client.done(id);
        await pathOf(client, "ns", "folder");
        await server.kill();
      }
      await using server = await serve(root, ...args);
      assert.match(server.stderr, /cannot remove a private file/);
      using client = new LocalClient(server.local);
      await pathOf(client, "ns", "folder");
    }),
);

othersTest(
  "another user lists nothing, and touches nothing of anybody else's",
  () =>
    withSharedFolder(async (folder) => {
      const root = join(folder, "root");
      await using server = await serve(root, "--shared");
      using client = new LocalClient(server.local);
      const value = await publish(client, "k", 'printf mine > "$1"');
      const { id, path } = await client.assigned("ns", "under way");
      await shellAs(as(ALICE), 'printf mine > "$1"', path);
      const refused = [
        'ls "$1"',
        ...[".staging", ".private", ".quarantine", "ns"].map((name) =>
          `ls "$1/${name}"`
        ),
        ...[
          "cache.sqlite",
          "cache.sqlite-wal",
          "cache.sqlite-shm",
          "Cache.toml",
        ]
          .flatMap((name) => [`cat "$1/${name}"`, `: >> "$1/${name}"`]),
        'mkdir "$1/other"',
        ': > "$1/ns/other"',
        'mv "$1/ns" "$1/.staging/ns"',
        ...[value, path].flatMap((file) => [
          `: > "${file}"`,
          `rm -f "${file}" && ! test -e "${file}"`,
          `mv -f "${file}" "$1/.staging/taken"`,
          `ln -sf /etc/passwd "${file}"`,
          `: > "$1/.staging/x"; mv -f "$1/.staging/x" "${file}"`,
          `chmod 777 "${file}"`,
        ]),
      ];
      for (const line of refused) {
        const { code } = await shellAs(as(BOB), line, root);
        assert.notEqual(code, 0, line);
      }
      // Work that was given to nobody's folder is not there to be looked at.
      const { stdout } = await shellAs(as(BOB), 'echo "$1"/*/*', root);
      assert.equal(stdout.trim(), `${root}/*/*`);
      await client.done(id);
      assert.equal(
        (await shellAs(as(BOB), 'cat "$1"', await pathOf(client, "ns", "k")))
          .stdout,
        "mine",
      );
      assert.equal(
        await Deno.readTextFile(await pathOf(client, "ns", "under way")),
        "mine",
      );
    }),
);

othersTest(
  "a file that the server may not read goes back to its user",
  () =>
    withSharedFolder(async (folder) => {
      await using server = await serve(join(folder, "root"), "--shared");
      using client = new LocalClient(server.local);
      const sizes = ["printf mine", "head -c 3000000 /dev/zero"];
      for (const [at, command] of sizes.entries()) {
        const { id, path } = await client.assigned("ns", `${at}`);
        const line = `umask 077; ${command} > "$1"`;
        await shellAs(as(ALICE), line, path);
        await assert.rejects(client.done(id), {
          code: status.FAILED_PRECONDITION,
          details: /the server may not read .* \(chmod a\+r, .*umask 022\)/,
        });
        const { uid, mode } = await Deno.lstat(path);
        assert.deepEqual([uid, mode! & 0o777], [ALICE, 0o600]);
        await shellAs(as(ALICE), 'chmod a+r "$1"', path);
        await client.done(id);
        await pathOf(client, "ns", `${at}`);
      }
    }),
);

othersTest(
  "a group has its namespaces, and others read nothing there",
  () =>
    withSharedFolder(async (folder) => {
      const root = join(folder, "root");
      const groups = ["--shared", "--shared-groups", `secret.*=${GROUP}`];
      await assert.rejects(
        serve(root, ...groups),
        new RegExp(
          `--shared-groups secret.*=${GROUP}: this user cannot give folders`,
        ),
      );
      await using server = await ServerProcess.start(root, {
        args: groups,
        through: powerless(GROUP),
      });
      using client = new LocalClient(server.local);
      for (const namespace of ["secret.plans", "open"]) {
        const { id, path } = await client.assigned(namespace, "k");
        await shellAs(as(ALICE), 'printf mine > "$1"', path);
        await client.done(id);
      }
      const secret = await pathOf(client, "secret.plans", "k");
      const open = await pathOf(client, "open", "k");
      assert.equal(modeOf(root, "secret.plans"), "750");
      assert.equal((await Deno.lstat(join(root, "secret.plans"))).gid, GROUP);
      const readBy = (who: string[], path: string) =>
        shellAs(who, 'cat "$1"', path).then(({ stdout }) => stdout);
      assert.equal(await readBy(as(ALICE, GROUP), secret), "mine");
      assert.equal(await readBy(as(ALICE), secret), "");
      assert.equal(await readBy(as(BOB), open), "mine");
      assert.equal(await server.stop(), 0, server.stderr);
      // Closed, and opened again without a word of groups: it is still theirs.
      for (const args of [[], ["--shared"]]) {
        await using next = await serve(root, ...args);
        using client = new LocalClient(next.local);
        await pathOf(client, "secret.plans", "k");
        assert.equal(modeOf(root, "secret.plans"), "700");
        assert.equal(await readBy(as(BOB), secret), "");
        assert.equal(await next.stop(), 0, next.stderr);
      }
      assert.equal((await Deno.lstat(join(root, "secret.plans"))).gid, GROUP);
    }),
);

othersTest(
  "modes follow the flag, and a root that was never shared keeps its own",
  () =>
    withSharedFolder(async (folder) => {
      const root = join(folder, "root");
      await Deno.mkdir(root, { mode: 0o755 });
      const run = async (
        args: string[],
        look: (client: LocalClient) => Promise<void>,
      ) => {
        await using server = await serve(root, ...args);
        using client = new LocalClient(server.local);
        await look(client);
        assert.equal(await server.stop(), 0, server.stderr);
      };
      await run([], async (client) => {
        const { id, path } = await client.assigned("ns", "k");
        await Deno.writeTextFile(path, "early");
        await client.done(id);
        const value = await pathOf(client, "ns", "k");
        assert.deepEqual([modeOf(root), modeOf(root, "ns")], ["755", "700"]);
        assert.notEqual((await shellAs(as(BOB), 'cat "$1"', value)).code, 0);
      });
      await run(["--shared"], async (client) => {
        const value = await pathOf(client, "ns", "k");
        assert.equal(
          (await shellAs(as(BOB), 'cat "$1"', value)).stdout,
          "early",
        );
        assert.deepEqual([modeOf(root), modeOf(root, "ns")], ["711", "711"]);
        assert.equal(modeOf(root, "cache.sqlite"), "600");
        await publish(client, "late", 'printf late > "$1"');
      });
      // Stopped, it stays as it is: paths that were given out can be read.
      assert.equal(modeOf(root), "711");
      await run([], async (client) => {
        const late = await pathOf(client, "ns", "late");
        const modes = ["", ".staging", "ns"].map((name) => modeOf(root, name));
        assert.deepEqual(modes, ["700", "700", "700"]);
        assert.notEqual((await shellAs(as(BOB), 'cat "$1"', late)).code, 0);
        assert.equal(await Deno.readTextFile(late), "late");
      });
    }),
);
