import { deepEqual, rejects } from "node:assert/strict";
import { DISK, type Disk } from "./disk.ts";
import { outsOf } from "./outs.ts";
import { Prepared } from "./prepared.ts";

/** A disk that moves no file of this name away. */
function holding(name: string, code: string): Disk {
  return {
    ...DISK,
    async rename(from, to) {
      if (from.endsWith(`/${name}`)) {
        throw Object.assign(new Error(`${code}: no, rename`), { code });
      }
      await DISK.rename(from, to);
    },
  };
}

for (const code of ["EBUSY", "EACCES", "EPERM", "EROFS", "EXDEV", "ENOSPC"]) {
  Deno.test(`an out that cannot be set aside (${code}) leaves all as they were`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      const names = ["a", "b", "c"].map((name) => `${folder}/${name}`);
      for (const name of names) await Deno.writeTextFile(name, "old");
      await rejects(
        Prepared.at(await outsOf(names), {
          keepsOuts: false,
          disk: holding("b", code),
        }),
        new RegExp(`${folder}/b could not be set aside: no$`),
      );
      const found = [...Deno.readDirSync(folder)].map(({ name }) => name);
      deepEqual(found.sort(), ["a", "b", "c"]);
      for (const name of names) {
        deepEqual(await Deno.readTextFile(name), "old");
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
