/**
 * Does each panel of the dashboard show something? Prometheus looks at a server
 * under load, and is asked what the panels ask.
 *
 * ```sh
 * deno run --allow-all tests/ops/dashboard_live.ts [--seconds N]
 * ```
 *
 * @module
 */

import { parseArgs } from "node:util";
import { bytesOf, LocalClient, RemoteClient } from "../support/clients.ts";
import { eachOf } from "../support/waiting.ts";
import { first } from "../v1/client.ts";
import { type Site, withSite } from "../v1/support.ts";
import { askings } from "./dashboard.ts";
import { Prometheus } from "./prometheus.ts";

/** Rates are over so long, of a look a second. */
const RANGE = "10s";

const { values } = parseArgs({
  args: Deno.args,
  options: { seconds: { type: "string", default: "20" } },
});

/** Values that come, are read and go, work that waits, and some that is refused. */
async function load(site: Site, round: number): Promise<void> {
  const { server, remote, local } = site;
  using original = new RemoteClient(server.remote);
  using files = new LocalClient(server.local);
  await eachOf(40, 8, async (at) => {
    const namespace = `sim.n${at % 4}`;
    const key = `r${round}k${at}`;
    // Where there is no room at once, nobody is given the work.
    await remote.put(namespace, key, "x".repeat(20_000)).catch(() => {});
    await original.get(namespace, key);
    await original.get(namespace, key);
    await original.get("elsewhere", key, { assign: false });
  });
  const { id, path } = await files.assigned("files", `r${round}`);
  await Deno.writeTextFile(path, "value");
  await files.call("Done", { id });
  const work = await remote.assigned("ring", `r${round}`);
  const waiter = await first(local.fetch("ring", `r${round}`));
  await remote.publish(work.id, [bytesOf("value")]);
  await Array.fromAsync(waiter.rest);
  const large = await remote.assigned("small", `r${round}`);
  await remote.publish(large.id, [new Uint8Array(7_000)]).catch(() => {});
  // Nobody else is given work there meanwhile.
  await original.get("small", `other${round}`);
  await remote.call("Abandon", { id: large.id });
}

async function ask(prometheus: Prometheus): Promise<number> {
  let silent = 0;
  for (const { title, expr } of askings(RANGE)) {
    const samples = await prometheus.ask(expr);
    const numbers = samples.map(({ value: [, text] }) => Number(text));
    const shown = numbers.filter((each) => !Number.isNaN(each));
    if (shown.length === 0) silent++;
    const most = shown.length === 0
      ? "NOTHING"
      : `at most ${Math.max(...shown).toPrecision(4)}`;
    console.log(`${title}: ${shown.length} series, ${most}\n  ${expr}`);
  }
  return silent;
}

let code = 0;
await withSite(async (site) => {
  await using prometheus = await Prometheus.start(site.server.http);
  if (!prometheus) {
    return console.log("skipped: there is no prometheus (Debian: prometheus)");
  }
  const endMs = performance.now() + 1_000 * Number(values.seconds);
  for (let round = 0; performance.now() < endMs; round++) {
    await load(site, round);
  }
  const silent = await ask(prometheus);
  if (silent > 0) code = 1;
  console.log(`${silent} of ${askings().length} show nothing`);
}, {
  confined: true,
  args: [
    ...["--http", "127.0.0.1:0", "--max-bytes", "20MiB"],
    ...["--quotas", "sim.*=4MiB,small=6KiB"],
  ],
});
Deno.exit(code);
