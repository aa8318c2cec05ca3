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

Deno.test("the alert for certificates comes 14 days before one ends", async () => {
  const daysS = (days: number) => days * 86_400;
  const alert = {
    exp_labels: {
      ...{ severity: "ticket", instance: "a:9100", certificate: "server" },
    },
    exp_annotations: {
      summary: "a certificate of a:9100 (server) ends within 14 days or has " +
        "ended: put a new one into its file",
    },
  };
  const at = (eval_time: string, exp_alerts: object[]) => ({
    alertname: "LarderCertificateEnds",
    ...{ eval_time, exp_alerts },
  });
  const series = (certificate: string, endS: number) => ({
    series: "larder_tls_certificate_expiry_timestamp_seconds" +
      `{instance="a:9100",certificate="${certificate}"}`,
    values: `${endS}+0x2880`,
  });
  // Its time begins with 0.
  const file = {
    rule_files: [fileURLToPath(ALERTS)],
    tests: [{
      interval: "1m",
      input_series: [
        series("server", daysS(15)),
        series("client-ca", daysS(365)),
      ],
      alert_rule_test: [at("23h", []), at("25h", [alert])],
    }],
  };
  const said = await promtoolOn(["test", "rules"], file);
  if (said !== undefined) assert.equal(said, "");
});

Deno.test("promtool takes the alerts, and each expression of the dashboard", async () => {
  const said = await promtool(["check", "rules", fileURLToPath(ALERTS)]);
  if (said === undefined) return;
  assert.equal(said, "");
  const rules = askings().map(({ expr }, at) => ({
    record: `dashboard:${at}`,
    expr,
  }));
  const file = { groups: [{ name: "dashboard", rules }] };
  assert.equal(await promtoolOn(["check", "rules"], file), "");
});

/** With a file that is made for it. */
async function promtoolOn(
  args: readonly string[],
  file: object,
): Promise<string | undefined> {
  const path = await Deno.makeTempFile({ suffix: ".yml" });
  try {
    // JSON is YAML.
    await Deno.writeTextFile(path, JSON.stringify(file));
    return await promtool([...args, path]);
  } finally {
    await Deno.remove(path);
  }
}
