/** The alerts and the dashboard ask for what there is. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { withSite } from "../v1/support.ts";
import { askings } from "./dashboard.ts";
import { promtool } from "./promtool.ts";
import { Scrape } from "./scrape.ts";

const FOLDER = new URL("../../docs/monitoring/", import.meta.url);
const ALERTS = new URL("alerts.yml", FOLDER);

/** Words that name metrics of ours, or of the process. */
function named(text: string): string[] {
  return text.match(/\b(larder|process)_[a-z_]+/g) ?? [];
}

Deno.test("each metric that the alerts and the dashboard name is there", async () => {
  const wanted = new Set(
    [Deno.readTextFileSync(ALERTS), ...askings().map(({ expr }) => expr)]
      .flatMap(named),
  );
  assert.ok(wanted.size > 20);
  await withSite(async ({ server }) => {
    const { text } = await Scrape.of(server.http);
    const there = new Set(
      text.matchAll(/^# TYPE (\S+) (\S+)/gm).flatMap(([, name, type]) =>
        type === "histogram" ? [`${name}_bucket`] : [name!]
      ),
    );
    assert.deepEqual([...wanted.difference(there)], []);
  }, { args: ["--http", "127.0.0.1:0"] });
});

Deno.test("promtool takes the alerts, and each expression of the dashboard", async () => {
  const said = await promtool(["check", "rules", fileURLToPath(ALERTS)]);
  if (said === undefined) return;
  assert.equal(said, "");
  const rules = askings().map(({ expr }, at) => ({
    record: `dashboard:${at}`,
    expr,
  }));
  const path = await Deno.makeTempFile({ suffix: ".yml" });
  try {
    // JSON is YAML.
    const file = { groups: [{ name: "dashboard", rules }] };
    await Deno.writeTextFile(path, JSON.stringify(file));
    assert.equal(await promtool(["check", "rules", path]), "");
  } finally {
    await Deno.remove(path);
  }
});
