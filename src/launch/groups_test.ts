import assert from "node:assert/strict";
import { completeConfig } from "../config.ts";
import { withGroupNumbers } from "./groups.ts";

Deno.test("the name of a group becomes its number, which is all that the server is told", async () => {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, "root:x:0:\nci-users:x:1207:bob,alice\n");
    const of = async (socketGroup?: string) => {
      const local = { path: "/s" };
      const config = completeConfig({
        local,
        ...socketGroup !== undefined && { socketGroup },
      });
      return (await withGroupNumbers(config, path)).socketGroup;
    };
    assert.equal(await of("ci-users"), "1207");
    const sharedGroups = [
      { pattern: "sim.*", group: "ci-users" },
      { pattern: "*", group: "7" },
    ];
    const config = completeConfig({ shared: true, sharedGroups });
    assert.deepEqual(
      (await withGroupNumbers(config, path)).sharedGroups.map(({ group }) =>
        group
      ),
      ["1207", "7"],
    );
    assert.equal(await of("44"), "44");
    assert.equal(await of(), undefined);
    await assert.rejects(of("ci"), {
      message: /^--socket-group ci: .* has no such group/,
      exitCode: 2,
    });
    await Deno.remove(path);
    await assert.rejects(of("ci"), /cannot read .*: give the number/);
    assert.equal(await of("44"), "44");
  } finally {
    await Deno.remove(path).catch(() => {});
  }
});
