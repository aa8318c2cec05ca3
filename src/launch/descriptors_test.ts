import assert from "node:assert/strict";
import { completeConfig } from "../config.ts";
import { parseListener } from "../config/address.ts";
import { StartError } from "../errors.ts";
import { descriptorsFor, type DescriptorSource } from "./descriptors.ts";

const LOCAL = { local: parseListener("fd:files") };
const BOTH = { ...LOCAL, remote: parseListener("fd:calls") };

function source(names: Record<string, string>): DescriptorSource {
  return { pid: 7, variable: (name) => names[name] };
}

function found(given: typeof LOCAL, names: Record<string, string>): object {
  return Object.fromEntries(
    descriptorsFor(completeConfig(given), source(names)),
  );
}

function refused(names: Record<string, string>, message: RegExp): void {
  assert.throws(() => found(LOCAL, names), (error) => {
    assert.ok(error instanceof StartError, `${error}`);
    assert.equal(error.exitCode, 2);
    assert.match(error.message, /^--local fd:files: /);
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("descriptors are found by their names, from the third on", () => {
  const names = {
    LISTEN_PID: "7",
    LISTEN_FDS: "3",
    LISTEN_FDNAMES: "calls:other:files",
  };
  assert.deepEqual(found(BOTH, names), { files: 5, calls: 3 });
});

Deno.test("a socket without a name is called as systemd calls it", () => {
  const given = { local: parseListener("fd:unknown") };
  const names = { LISTEN_PID: "7", LISTEN_FDS: "1" };
  assert.deepEqual(found(given, names), { unknown: 3 });
});

Deno.test("nothing is read where no socket is wanted", () => {
  const config = completeConfig({});
  const variable = () => assert.fail("the environment was read");
  assert.equal(descriptorsFor(config, { pid: 7, variable }).size, 0);
});

Deno.test("what was handed on to nobody, to another process, or twice is refused", () => {
  const names = {
    LISTEN_PID: "7",
    LISTEN_FDS: "1",
    LISTEN_FDNAMES: "files",
  };
  assert.deepEqual(found(LOCAL, names), { files: 3 });
  refused({}, /no socket was handed on .* Sockets=/);
  refused(
    { ...names, LISTEN_PID: "8" },
    /are for process 8 .* this is 7: .*exec/,
  );
  for (const count of ["0", "-1", "x", "9".repeat(9)]) {
    refused(
      { ...names, LISTEN_FDS: count },
      /no socket was handed on \(LISTEN_FDS/,
    );
  }
  refused({ ...names, LISTEN_FDNAMES: "calls" }, /but calls: it is FileDesc/);
  refused(
    { ...names, LISTEN_FDS: "2", LISTEN_FDNAMES: "files:files" },
    /several sockets of that name/,
  );
});
