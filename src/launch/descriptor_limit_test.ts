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
  assert.deepEqual(fit(1_024), { ...config, maxConnections: 658 });
  assert.deepEqual(fit(256), { ...config, maxConnections: 16 });
  // With those that are asked to make place.
  const large = { ...config, maxConnections: 9_300 };
  const options = { limit: 10_000, log: () => {} };
  assert.equal(withinDescriptors(large, options).maxConnections, 8_818);
  assert.match(lines[0]!, /^at most 658 connections: .* 1024 files .* ulimit/);
});
