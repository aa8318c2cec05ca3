import assert from "node:assert/strict";
import { groupOf, wantedModes } from "../../workers/shared_modes.ts";

Deno.test("the narrowest pattern decides whose group it is", () => {
  const groups = [
    { pattern: "*", gid: 1 },
    { pattern: "sim.place.*", gid: 3 },
    { pattern: "sim.*", gid: 2 },
    { pattern: "sim.place.fast", gid: 4 },
  ];
  const of = (namespace: string) => groupOf(groups, namespace);
  assert.deepEqual(
    ["other", "sim", "sim.x", "sim.place.x", "sim.place.fast", "simple"].map(
      of,
    ),
    [1, 1, 2, 3, 4, 1],
  );
  assert.equal(groupOf(groups.slice(2), "other"), undefined);
});

Deno.test("a folder is opened to everybody only where nobody gave it to a group", () => {
  const own = 100;
  const to = (mode: number, gid: number, group?: number) =>
    wantedModes({ mode: 0o040000 | mode, gid, own }, group);
  assert.deepEqual(to(0o700, own), { mode: 0o711 });
  // The original server's.
  assert.deepEqual(to(0o755, own), { mode: 0o711 });
  assert.equal(to(0o711, own), undefined);
  // What an administrator, or --shared-groups before, gave to one.
  assert.equal(to(0o2750, 7), undefined);
  assert.equal(to(0o700, 7), undefined);
  assert.deepEqual(to(0o711, 7), undefined);
  assert.deepEqual(to(0o755, 7), { mode: 0o711 });
  assert.deepEqual(to(0o711, own, 7), { mode: 0o750, gid: 7 });
  assert.deepEqual(to(0o770, 7, 7), { mode: 0o750, gid: 7 });
  assert.equal(to(0o2750, 7, 7), undefined);
});
