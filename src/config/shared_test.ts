import assert from "node:assert/strict";
import { completeConfig, renderArguments } from "../config.ts";
import { parseCommandLine } from "../launch/arguments.ts";
import {
  areAllGrouped,
  formatSharedGroups,
  parseSharedGroups,
} from "./shared.ts";
import { refusal } from "./testing/refusal.ts";

Deno.test("groups of namespaces are read as they are written", () => {
  const groups = parseSharedGroups("sim.*=simulators, *=1207");
  assert.deepEqual(groups, [
    { pattern: "sim.*", group: "simulators" },
    { pattern: "*", group: "1207" },
  ]);
  assert.deepEqual(parseSharedGroups(formatSharedGroups(groups)), groups);
  assert.deepEqual(parseSharedGroups(""), []);
  assert(areAllGrouped(groups));
  assert(!areAllGrouped(groups.slice(0, 1)));
  for (const wrong of ["sim", "sim=a=b", "9=a", "*.a=b", "a=", "a=b c"]) {
    assert.throws(() => parseSharedGroups(wrong), RangeError, wrong);
  }
  assert.throws(() => parseSharedGroups("a=b,a=c"), /a is there twice/);
});

Deno.test("what would come to nothing is refused: groups without --shared, --shared without LocalCache", () => {
  const remote = { host: "127.0.0.1", port: 0 };
  const sharedGroups = [{ pattern: "*", group: "1207" }];
  assert.match(refusal({ sharedGroups }), /^--shared-groups needs --shared/);
  assert.equal(refusal({ sharedGroups, shared: true }), "");
  assert.match(refusal({ shared: true, remote }), /--local is off/);
});

Deno.test("the confined server is told of both", async () => {
  const given = {
    shared: true,
    sharedGroups: [{ pattern: "*", group: "1207" }],
    root: "/root",
  };
  const words = renderArguments(completeConfig(given));
  const invocation = await parseCommandLine(
    ["serve", "--confined", ...words],
    () => "/",
  );
  assert(invocation.kind === "confined");
  const { shared, sharedGroups } = invocation.config;
  assert.deepEqual({ shared, sharedGroups, root: "/root" }, given);
});
