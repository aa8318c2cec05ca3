import assert from "node:assert/strict";
import { openDoors } from "./open_doors.ts";

const root = "/r";
const unguarded = {
  clientCa: undefined,
  access: undefined,
  socketMode: 0o600,
};
const here = { host: "127.0.0.1", port: 1 };

Deno.test("a start warns of every address of the machine, and of a root that others may write", () => {
  const none = openDoors(
    { root, ...unguarded, local: here, remote: undefined },
    0o40755,
  );
  assert.deepEqual(none, []);
  const named = { host: "10.0.0.5", port: 28056 };
  assert.deepEqual(
    openDoors({ root, ...unguarded, local: undefined, remote: named }, null),
    [],
  );
  for (const host of ["0.0.0.0", "::"]) {
    const [warning, ...others] = openDoors(
      { root, ...unguarded, local: here, remote: { host, port: 7 } },
      0o40700,
    );
    assert.deepEqual(others, []);
    assert.match(
      warning!,
      /^.*:7 is every address .*: everybody who reaches it may read and write/,
    );
  }
  const everywhere = { host: "0.0.0.0", port: 7 };
  for (const guard of [{ clientCa: "/ca" }, { access: "/access" }]) {
    const guarded = { ...unguarded, ...guard };
    const none = openDoors(
      { root, ...guarded, local: here, remote: everywhere },
      0o40700,
    );
    assert.deepEqual(none, []);
  }
  const socket = { path: "/run/s" };
  const doors = (socketMode: number, access?: string) =>
    openDoors({
      ...{ root, ...unguarded, socketMode, access },
      ...{ local: socket, remote: undefined },
    }, 0o40700);
  assert.deepEqual([doors(0o600), doors(0o660), doors(0o666, "/access")], [
    [],
    [],
    [],
  ]);
  assert.match(
    doors(0o666).join(),
    /^every user of this machine who reaches \/run\/s may read and write all/,
  );
  for (const mode of [0o40777, 0o40770, 0o40702]) {
    const [warning] = openDoors({
      root,
      ...unguarded,
      local: here,
      remote: here,
    }, mode);
    assert.match(
      warning!,
      /may write to the root \/r \(mode 07\d\d\).*: chmod 700 \/r$/,
    );
  }
});
