import { equal } from "node:assert/strict";
import { outsOf } from "./outs.ts";
import { TreeRestore } from "./tree_restore.ts";

Deno.test("a hit that comes to nothing leaves the folders that were there, and no other", async () => {
  const top = await Deno.makeTempDir();
  try {
    await Deno.mkdir(`${top}/empty`);
    // A pattern's folder may be the working folder.
    const kept = [`${top}/empty/`, `${top}/empty/*.o`, `${top}/new/`];
    for (const out of await outsOf(kept)) {
      await (await TreeRestore.of(out))[Symbol.asyncDispose]();
      const names = [...Deno.readDirSync(top)].map(({ name }) => name);
      equal(names.join(), "empty", out.name);
    }
  } finally {
    await Deno.remove(top, { recursive: true });
  }
});
