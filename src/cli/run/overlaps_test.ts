import assert from "node:assert/strict";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { outsOf } from "./outs.ts";
import { checkOuts } from "./overlaps.ts";

Deno.test("an out without which the machine, or this program, would not work is refused", async () => {
  const own = fileURLToPath(new URL("../", import.meta.url));
  const cases: [string, RegExp][] = [
    ["/etc/", /^--out \/etc\/: this machine needs it$/],
    ["/etc", /this machine needs it/],
    ["/home/", /this machine needs it/],
    ["/opt/", /this machine needs it/],
    ["/etc/passwd", /it stands in \/etc, which this machine needs/],
    ["/bin/sh", /it stands in \/(usr\/)?bin, which this machine needs/],
    ["/home/larder-no-such/", /it stands in \/home, which this machine needs/],
    ["/usr/lib/", /this machine needs it/],
    ["/usr/*", /it means files in \/usr, which this machine needs/],
    [
      `${dirname(Deno.execPath())}/`,
      /it contains (Deno or Node|larder itself)/,
    ],
    [own, /it contains larder itself/],
  ];
  for (const [name, message] of cases) {
    const needed = { keyFiles: [], held: [], program: "larder-no-such" };
    await assert.rejects(
      outsOf([name]).then((outs) => checkOuts(outs, needed)),
      { exitCode: 2, message },
      name,
    );
  }
});

Deno.test("outs in folders that others share are nobody's else", async () => {
  const needed = { keyFiles: [], held: [], program: "larder-no-such" };
  const names = ["/opt/larder-no-such/", "/srv/a/b", "/tmp/larder-no-such/*.o"];
  const outs = await outsOf([...names, "/usr/local/bin/larder-no-such"]);
  await checkOuts(outs, needed);
});
