import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { Aside, recoverFolder } from "./aside.ts";
import { DISK, type Disk } from "./disk.ts";
import { thisOwner } from "./owner.ts";
import { share } from "./share.ts";
import { Staging } from "./staging.ts";
import { leavesOf } from "./tree.ts";

const KILLED = new URL("./testing/killed_aside.ts", import.meta.url);

async function withFolder(
  body: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Is killed at a call; how many calls it made, if it was not. */
async function killedAt(
  place: string,
  call: number,
  when: "before" | "after",
): Promise<number | undefined> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", fileURLToPath(KILLED), place, `${call}`, when],
  }).output();
  if (code === 0) return Number(new TextDecoder().decode(stdout));
  equal(code, 137, new TextDecoder().decode(stderr));
}

function filesIn(folder: string): Record<string, string> {
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  return Object.fromEntries(
    names.map((name) => [name, Deno.readTextFileSync(`${folder}/${name}`)]),
  );
}

/** A line of a process that was killed before this machine was started. */
async function deadLine(name: string): Promise<string> {
  const [pid, started, pids, , ...rest] = (await thisOwner()).split(" ");
  return [pid, started, pids, "another-boot", ...rest, name].join(" ");
}

Deno.test("whoever is killed at any step loses nothing", () =>
  withFolder(async (folder) => {
    const place = `${folder}/o`;
    const recoveries = {
      "its folder is looked through": () => recoverFolder(folder),
      "the same place is wanted": async () =>
        await (await Aside.at(place))?.release(),
    };
    await Deno.writeTextFile(place, "old");
    const calls = await killedAt(place, 0, "before");
    // The lock, the file away, the file gone, the lock.
    equal(calls, 4);
    for (let call = 1; call <= calls; call++) {
      for (const when of ["before", "after"] as const) {
        for (const [how, recover] of Object.entries(recoveries)) {
          await Deno.writeTextFile(place, "old");
          equal(await killedAt(place, call, when), undefined);
          await recover();
          const files = filesIn(folder);
          // From the third call's end on, the new one has taken its place.
          const isSettled = call > 3 || (call === 3 && when === "after");
          equal(
            files["o"],
            isSettled ? "new" : "old",
            `${call} ${when} ${how}`,
          );
          // What was written is there as well, if the old one has come back.
          const isWritten = call === 3 && when === "before";
          const partial = isWritten ? { ".o.larder-partial": "new" } : {};
          deepEqual(files, { ...partial, o: files["o"] });
          for (const name in files) await Deno.remove(`${folder}/${name}`);
        }
      }
    }
  }));

/** All files of a folder and those below it, and what they hold. */
async function allFilesIn(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const { below, kind } of leavesOf(folder)) {
    if (kind !== "folder") {
      found[below] = await Deno.readTextFile(`${folder}/${below}`);
    }
  }
  return found;
}

Deno.test("whoever is killed at any step loses nothing of a folder", () =>
  withFolder(async (folder) => {
    const place = `${folder}/o`;
    const prepare = async () => {
      await Deno.mkdir(`${place}/sub`, { recursive: true });
      await Deno.writeTextFile(`${place}/mine`, "old");
      await Deno.writeTextFile(`${place}/sub/mine`, "old");
    };
    await prepare();
    const calls = await killedAt(place, 0, "before");
    // The lock, the folder away, an empty one; the old one is what is left, two
    // files back, two folders gone, the lock.
    equal(calls, 9);
    for (let call = 1; call <= calls; call++) {
      for (const when of ["before", "after"] as const) {
        await Deno.remove(place, { recursive: true });
        await prepare();
        equal(await killedAt(place, call, when), undefined);
        await recoverFolder(folder);
        const isWritten = call > 3;
        // From there on it goes forward.
        const isSettled = call > 4 || (call === 4 && when === "after");
        deepEqual(await allFilesIn(folder), {
          ...isWritten && !isSettled ? { ".o.larder-partial/new": "new" } : {},
          "o/mine": "old",
          ...isSettled ? { "o/new": "new" } : {},
          "o/sub/mine": "old",
        }, `${call} ${when}`);
        await Deno.remove(`${folder}/.o.larder-partial`, { recursive: true })
          .catch(() => {});
      }
    }
  }));

Deno.test("whoever is killed while it puts back loses nothing either", () =>
  withFolder(async (folder) => {
    const place = `${folder}/o`;
    // The lock, which fails; the right to take it; the lock; two moves.
    for (let call = 4; call <= 11; call++) {
      const when = call % 2 === 0 ? "before" : "after";
      await Deno.writeTextFile(`${folder}/.o.larder-old`, "old");
      await Deno.writeTextFile(place, "partial");
      await Deno.symlink(await deadLine("o"), `${folder}/.o.larder-lock`);
      equal(await killedAt(place, call >> 1, when), undefined);
      await recoverFolder(folder);
      const { o, ...others } = filesIn(folder);
      equal(o, "old");
      deepEqual(others, { ".o.larder-partial": "partial" });
    }
  }));

Deno.test("a disk that fails at any step loses nothing", () =>
  withFolder(async (folder) => {
    const place = `${folder}/o`;
    for (let failing = 1; failing <= 4; failing++) {
      await Deno.writeTextFile(place, "old");
      let calls = 0;
      const full = <Args extends unknown[]>(
        call: (...args: Args) => Promise<void>,
      ) =>
      async (...args: Args) => {
        if (++calls === failing) {
          throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
        }
        await call(...args);
      };
      const disk: Disk = {
        symlink: full(DISK.symlink),
        rename: full(DISK.rename),
        unlink: full(DISK.unlink),
        mkdir: full(DISK.mkdir),
        rmdir: full(DISK.rmdir),
      };
      await rejects(async () => {
        const aside = await Aside.at(place, { disk });
        try {
          await aside!.move();
          await aside!.settle();
        } finally {
          await aside!.release();
        }
      }, /ENOSPC/);
      const found = filesOf(folder);
      ok(found.includes("o") || found.includes(".o.larder-old"), `${found}`);
      // Without it, nobody would know that the old one is to come back.
      equal(found.includes(".o.larder-lock"), failing >= 3);
      // The process that holds the lock is this one: as if it had died.
      await Deno.remove(`${folder}/.o.larder-lock`).catch(() => {});
      await (await Aside.at(place))!.release();
      deepEqual(filesIn(folder), { o: "old" });
    }
  }));

function filesOf(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name);
}

Deno.test("of many who find a dead one's lock, one has it", () =>
  withFolder(async (folder) => {
    const place = `${folder}/o`;
    await Deno.writeTextFile(`${folder}/.o.larder-old`, "old");
    await Deno.symlink(await deadLine("o"), `${folder}/.o.larder-lock`);
    const all = await Promise.allSettled(
      Array.from({ length: 20 }, () => Aside.at(place)),
    );
    const taken = all.filter(({ status }) => status === "fulfilled");
    equal(taken.length, 1);
    deepEqual(filesOf(folder).sort(), [".o.larder-lock", "o"]);
  }));

Deno.test("what a dead process has left waiting for its place is removed", () =>
  withFolder(async (folder) => {
    await using _living = await Staging.in(folder);
    const [living] = filesOf(folder);
    for (const name of [".larder-new-dead", "named.larder-new-dead"]) {
      await Deno.mkdir(`${folder}/${name}/files`, { recursive: true });
      await Deno.symlink(await deadLine(""), `${folder}/${name}/owner`);
    }
    await Deno.mkdir(`${folder}/.larder-new-nobody`);
    await recoverFolder(folder);
    deepEqual(
      filesOf(folder).sort(),
      [
        living!,
        ".larder-new-nobody",
        "named.larder-new-dead",
      ].sort(),
    );
  }));

Deno.test("a living owner's place, and another machine's, are left alone", () =>
  withFolder(async (folder) => {
    const place = `${folder}/o`;
    const aside = await Aside.at(place);
    await rejects(Aside.at(place), /larder run with process number \d+ on/);
    await recoverFolder(folder);
    ok(filesOf(folder).includes(".o.larder-lock"));
    ok(await aside!.isOurs());
    await aside!.release();
    deepEqual(filesOf(folder), []);

    const [pid, started, pids, boot] = (await thisOwner()).split(" ");
    for (
      const line of [
        `${pid} ${started} ${pids} ${boot} elsewhere o`,
        `999999999 1 pid:[1] ${boot} elsewhere o`,
        "somebody's",
        "/etc/passwd",
      ]
    ) {
      await Deno.symlink(line, `${folder}/.o.larder-lock`);
      await Deno.writeTextFile(`${folder}/.o.larder-old`, "old");
      await recoverFolder(folder);
      await rejects(Aside.at(place));
      deepEqual(filesOf(folder).sort(), [".o.larder-lock", ".o.larder-old"]);
      await Deno.remove(`${folder}/.o.larder-lock`);
    }
  }));

Deno.test("who is told that a place is shared, is", () =>
  withFolder(async (folder) => {
    const place = `${folder}/o`;
    // Of a process that lives, and has not started this one.
    await using other = new Deno.Command("sleep", { args: ["600"] }).spawn();
    const [, , ...rest] = (await thisOwner()).split(" ");
    const { pid } = other;
    const line = `${pid} ${await startOf(pid)} ${rest.join(" ")} o`;
    await Deno.symlink(line, `${folder}/.o.larder-lock`);
    await share([place]);
    ok(filesOf(folder).includes(".o.larder-shared"));
    equal(await Deno.readLink(`${folder}/.o.larder-shared`), line);
    await share([`${folder}/free`]);
    equal(filesOf(folder).length, 2);
    // What was told to an earlier owner is not taken for ours.
    await Deno.remove(`${folder}/.o.larder-lock`);
    const aside = await Aside.at(place);
    ok(await aside!.isOurs());
    await aside!.release();
    deepEqual(filesOf(folder), []);
  }));

/** When a process was started, as Linux counts. */
async function startOf(pid: number): Promise<string> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]!;
}

Deno.test("a link that only looks like a lock moves nothing", () =>
  withFolder(async (folder) => {
    await Deno.mkdir(`${folder}/d`);
    await Deno.writeTextFile(`${folder}/o`, "mine");
    await Deno.writeTextFile(`${folder}/.o.larder-old`, "not mine");
    for (const name of ["../o", "x", ""]) {
      const path = `${folder}/d/.o.larder-lock`;
      await Deno.symlink(await deadLine(name), path);
      await recoverFolder(`${folder}/d`);
      await Deno.remove(path);
    }
    equal(await Deno.readTextFile(`${folder}/o`), "mine");
  }));
