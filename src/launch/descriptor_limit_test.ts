import assert from "node:assert/strict";
import { completeConfig } from "../config.ts";
import { descriptorLimit, withinDescriptors } from "./descriptor_limit.ts";

Deno.test("descriptorLimit knows the limit of this process", async () => {
  const limit = await descriptorLimit();
  assert(limit === undefined || limit >= 64, `${limit}`);
});

Deno.test("withinDescriptors lowers what does not fit, and says so", () => {
  const config = completeConfig({ root: "/r", maxConnections: 3_000 });
  const lines: string[] = [];
  const fit = (limit: number | undefined) =>
    withinDescriptors(config, { limit, log: (line) => lines.push(line) });
  assert.equal(fit(undefined), config);
  assert.equal(fit(4_096), config);
  assert.deepEqual(lines, []);
  assert.deepEqual(fit(1_024), { ...config, maxConnections: 324 });
  assert.deepEqual(fit(256), { ...config, maxConnections: 16 });
  assert.match(lines[0]!, /^at most 324 connections: .* 1024 files .* ulimit/);
});
