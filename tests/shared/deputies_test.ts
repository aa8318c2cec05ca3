/** Others who would have the server read, publish or remove what is not theirs. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { status } from "@grpc/grpc-js";
import { LocalClient } from "../support/clients.ts";
import { ServerProcess } from "../support/server_process.ts";
import { ALICE, as, modeOf, othersTest, powerless } from "./users.ts";
import { shellAs, withSharedFolder } from "./users.ts";

const serve = (root: string) =>
  ServerProcess.start(root, { args: ["--shared"], through: powerless() });

const refused = { code: status.FAILED_PRECONDITION };

othersTest(
  "links in staging make the server publish nothing of its own",
  () =>
    withSharedFolder(async (folder) => {
      const root = join(folder, "root");
      await using server = await serve(root);
      using client = new LocalClient(server.local);
      const files = ["cache.sqlite", "cache.sqlite-wal", "Cache.toml"]
        .map((name) => join(root, name));
      for (const file of files) {
        const { id, path } = await client.assigned("ns", file);
        await shellAs(as(ALICE), 'ln -s "$1" "$2"', file, path);
        await assert.rejects(client.done(id), refused);
        // The kernel refuses this one, unless it was told not to.
        const { code } = await shellAs(as(ALICE), 'ln "$1" "$2"', file, path);
        assert.notEqual(code, 0);
        // Root may in any case, and is the user of this server.
        await Deno.link(file, path);
        await assert.rejects(client.done(id), {
          ...refused,
          details: /a hard link to a file of the server's/,
        });
        assert.deepEqual(
          [(await Deno.lstat(file)).nlink, modeOf(file)],
          [1, "600"],
        );
        const late = await client.get("ns", file, { assign: false });
        assert.equal(late.entryStatus, "loading");
      }
      const { id, path } = await client.assigned("ns", "k");
      await Deno.writeTextFile(path, "goes on");
      await client.done(id);
    }),
);

othersTest(
  "a link that is swapped while it is looked at gives nothing away",
  () =>
    withSharedFolder(async (folder) => {
      const root = join(folder, "root");
      await using server = await serve(root);
      using client = new LocalClient(server.local);
      const secret = join(root, "cache.sqlite");
      let published = 0;
      for (let round = 0; round < 8; round++) {
        const key = `${round}`;
        const { id, path } = await client.assigned("ns", key);
        const swapping = shellAs(
          as(ALICE),
          // Names in staging that nobody else has: a file, and a link.
          `n=0
         while [ $n -lt 40 ]; do
           n=$((n + 1))
           printf mine > "$1.f" && mv -f "$1.f" "$1"
           ln -s "$2" "$1.l" && mv -f "$1.l" "$1"
         done
         rm -f "$1"; printf mine > "$1"`,
          path,
          secret,
        );
        let done = false;
        while (!done) {
          // While the file is written anew, it may be empty or missing.
          done = await client.done(id).then(() => true, (error) => {
            assert.equal(error.code, status.FAILED_PRECONDITION);
            return false;
          });
        }
        await swapping;
        const { ready } = await client.settled("ns", key);
        assert(ready !== undefined && "path" in ready);
        const info = await Deno.lstat(ready.path);
        assert(info.isFile && info.size <= "mine".length, ready.path);
        published++;
      }
      assert.equal(published, 8);
    }),
);

othersTest(
  "a folder in staging is no value, and does not stop the sweep",
  () =>
    withSharedFolder(async (folder) => {
      const root = join(folder, "root");
      const left = join(root, ".staging", "left");
      const swept = join(root, ".staging", "swept");
      {
        await using server = await serve(root);
        using client = new LocalClient(server.local);
        const { id, path } = await client.assigned("ns", "k");
        await shellAs(as(ALICE), 'mkdir -m 700 "$1"; : > "$1/file"', path);
        await assert.rejects(client.done(id), refused);
        for (const name of [left, `${left}.2`]) {
          await shellAs(as(ALICE), 'mkdir -m 700 "$1"; : > "$1/file"', name);
        }
        await shellAs(as(ALICE), ': > "$1"', swept);
        assert.equal(await server.stop(), 0, server.stderr);
      }
      await using server = await serve(root);
      assert.match(
        server.stderr,
        /2 of what clients left in the folder \.staging cannot be removed: /,
      );
      await assert.rejects(Deno.lstat(swept), Deno.errors.NotFound);
      assert((await Deno.lstat(left)).isDirectory);
    }),
);
