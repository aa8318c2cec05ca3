import assert from "node:assert/strict";
import { StartError } from "../errors.ts";
import { prepareRoot, resolveRoot } from "./root_folder.ts";
import { temporaryFolder } from "../launch/testing/program.ts";

async function assertRefused(
  root: string,
  { exitCode, message }: { exitCode: number; message: RegExp },
): Promise<void> {
  await assert.rejects(prepareRoot(root), (error) => {
    assert(error instanceof StartError, `${error}`);
    assert.equal(error.exitCode, exitCode);
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("prepareRoot makes a root for its user only and leaves nothing in it", async () => {
  await using folder = await temporaryFolder();
  const root = `${folder.path}/a/b`;
  assert.equal(await prepareRoot(root), root);
  assert.equal((await Deno.stat(root)).mode! & 0o777, 0o700);
  assert.deepEqual(await Array.fromAsync(Deno.readDir(root)), []);
});

Deno.test("prepareRoot leaves a root that exists as it is", async () => {
  await using folder = await temporaryFolder();
  await Deno.chmod(folder.path, 0o755);
  await Deno.writeTextFile(`${folder.path}/file`, "");
  await prepareRoot(folder.path);
  assert.equal((await Deno.stat(folder.path)).mode! & 0o777, 0o755);
  await Deno.stat(`${folder.path}/file`);
});

Deno.test("prepareRoot answers with the real path, which permissions are granted for", async () => {
  await using folder = await temporaryFolder();
  await Deno.mkdir(`${folder.path}/real`);
  await Deno.symlink(`${folder.path}/real`, `${folder.path}/link`);
  assert.equal(
    await prepareRoot(`${folder.path}/link`),
    `${folder.path}/real`,
  );
});

Deno.test("prepareRoot refuses what is not a folder", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(`${folder.path}/file`, "");
  await Deno.symlink("nowhere", `${folder.path}/dangling`);
  await assertRefused(`${folder.path}/file`, {
    exitCode: 1,
    message: /file is not a folder: remove it or serve another root/,
  });
  await assertRefused(`${folder.path}/file/below`, {
    exitCode: 1,
    message: /^cannot use root .*\/file\/below: Not a directory: let this user/,
  });
  await assertRefused(`${folder.path}/dangling`, {
    exitCode: 1,
    message: /dangling is a link that leads nowhere/,
  });
});

Deno.test("prepareRoot refuses a real path that permission flags cannot name", async () => {
  await using folder = await temporaryFolder();
  await Deno.mkdir(`${folder.path}/a,b`);
  await Deno.symlink("a,b", `${folder.path}/link`);
  await assertRefused(`${folder.path}/link`, {
    exitCode: 2,
    message: /holds a comma/,
  });
});

Deno.test("prepareRoot refuses a root it cannot write", async () => {
  // The kernel's own folder: not even the superuser makes a file there.
  await assertRefused("/proc/sys", {
    exitCode: 1,
    message:
      /^cannot use root \/proc\/sys: .*: let this user read and write it/,
  });
});

Deno.test("prepareRoot says of a disk that is mounted read-only what that is", async () => {
  await using folder = await temporaryFolder();
  const run = (command: string, ...args: string[]) =>
    new Deno.Command(command, { args, stderr: "null" }).output()
      .catch(() => ({ success: false }));
  const mount = ["-t", "tmpfs", "-o", "ro", "l", folder.path];
  const { success } = await run("mount", ...mount);
  if (!success) return console.log("skipped: nothing can be mounted");
  try {
    for (const root of [folder.path, `${folder.path}/root`]) {
      await assertRefused(root, {
        exitCode: 1,
        message: /: Read-only file system: mount it for writing, or serve/i,
      });
    }
  } finally {
    await run("umount", folder.path);
  }
});

Deno.test("resolveRoot follows links as far as there is something, and makes nothing", async () => {
  await using folder = await temporaryFolder();
  await Deno.mkdir(`${folder.path}/real`);
  await Deno.symlink(`${folder.path}/real`, `${folder.path}/link`);
  await Deno.symlink("/nowhere", `${folder.path}/dangling`);
  for (const below of ["", "/a", "/a/b"]) {
    assert.equal(
      await resolveRoot(`${folder.path}/link${below}`),
      `${folder.path}/real${below}`,
    );
    await assert.rejects(
      resolveRoot(`${folder.path}/dangling${below}`),
      /dangling is a link that leads nowhere/,
    );
  }
  assert.deepEqual(
    await Array.fromAsync(Deno.readDir(`${folder.path}/real`)),
    [],
  );
  await Deno.mkdir(`${folder.path}/a,b`);
  await assert.rejects(resolveRoot(`${folder.path}/a,b/c`), /holds a comma/);
});
