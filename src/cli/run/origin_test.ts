import assert from "node:assert/strict";
import { readManifest, writeManifest } from "./archive.ts";
import { originHere, originJson, readOrigin } from "./origin.ts";

Deno.test("an origin is kept as it was", () => {
  const origin = originHere(["sh", "-c", "echo 'a b' > c"], 12.3);
  assert.equal(origin.command, "sh -c 'echo '\\''a b'\\'' > c'");
  assert.equal(origin.tookMs, 12);
  assert.equal(origin.folder, Deno.cwd());
  const manifest = { exitCode: 0, outs: ["c"], origin };
  assert.deepEqual(readManifest(writeManifest(manifest)), manifest);
  const without = { exitCode: 0, outs: ["c"] };
  assert.equal(readManifest(writeManifest(without)).origin, undefined);
});

Deno.test("an origin that anybody may have written does nothing to a terminal", () => {
  const sound = originJson(originHere(["true"], 0));
  const evil = { ...sound, command: "a\x1b[2J\nb\u202ec", folder: "\0" };
  const { command, folder } = readOrigin(evil)!;
  assert.deepEqual([command, folder], ["a [2J b c", " "]);
  const long = readOrigin({ ...sound, host: "x".repeat(1_000_000) })!;
  assert(long.host.length < 2_000);
  const wrong = [
    ...[undefined, null, "x", []],
    ...[{ at_ms: -1 }, { took_ms: "1" }, { host: 3 }, { command: [] }]
      .map((each) => ({ ...sound, ...each })),
  ];
  for (const each of wrong) assert.equal(readOrigin(each), undefined);
});
