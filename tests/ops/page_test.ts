/** The status page in a browser, beside what the metrics say. */

import assert from "node:assert/strict";
import { Browser } from "../support/browser.ts";
import { bytesOf, RemoteClient } from "../support/clients.ts";
import { eachOf } from "../support/waiting.ts";
import { first } from "../v1/client.ts";
import { type Site, withSite } from "../v1/support.ts";
import { Scrape } from "./scrape.ts";

const DESK = { width: 1280, height: 900 };
const PHONE = { width: 375, height: 800 };
/** Where pictures are to be written to, for whoever wants to look at them. */
const PICTURES = Deno.env.get("LARDER_PAGE_PICTURES");

/** Runs with a browser and a server that has work; skipped where no browser is. */
async function withPage(
  body: (browser: Browser, site: Site) => Promise<void>,
): Promise<void> {
  await using browser = await Browser.start();
  if (!browser) return console.log("skipped: there is no chromium");
  await withSite((site) => body(browser, site), {
    confined: true,
    args: [
      ...["--http", "127.0.0.1:0", "--max-entries", "60"],
      // Nobody sends heartbeats.
      ...["--heartbeat-timeout", "1h"],
      ...["--quotas", "sim.*=1GiB,small=1KiB"],
    ],
  });
}

/** Values that are published and read, one that is refused, and some that go. */
async function load({ server, remote }: Site): Promise<void> {
  using original = new RemoteClient(server.remote);
  await eachOf(80, 8, async (at) => {
    await remote.put(`sim.n${at % 4}`, `k${at}`, "x".repeat(100 * at));
    for (let read = 0; read < 5; read++) {
      await original.get(`sim.n${at % 4}`, `k${at}`);
    }
  });
  const { id } = await remote.assigned("small", "large value");
  await assert.rejects(remote.publish(id, [new Uint8Array(5_000)]));
  await remote.call("Abandon", { id });
}

/** What the page says, exactly. */
function figures(browser: Browser): Promise<Record<string, string>> {
  return browser.value(
    `Object.fromEntries([...document.querySelectorAll("#figures dd")]
      .map((each) => [each.id, each.dataset.value]))`,
  );
}

function sum(told: Scrape, name: string): number {
  return Object.values(told.all(name)).reduce((all, each) => all + each, 0);
}

async function keep(browser: Browser, name: string): Promise<void> {
  if (!PICTURES) return;
  const picture = await browser.picture({ isWhole: true });
  await Deno.writeFile(`${PICTURES}/${name}.png`, picture);
}

Deno.test("the page shows what the metrics say, and who computes what", () =>
  withPage(async (browser, site) => {
    const { server, remote, local } = site;
    const { id } = await remote.assigned("sim.ring", "run <b>17</b>");
    const waiter = await first(local.fetch("sim.ring", "run <b>17</b>"));
    const loaded = load(site);
    const url = `http://${server.http}/`;
    await browser.open(url, DESK);
    await loaded;
    await browser.until(
      `document.getElementById("evicted")?.dataset.value > 0`,
    );

    // The load has stopped: the page becomes what the metrics are.
    const told = await Scrape.of(server.http);
    const expected = {
      "hits": sum(told, "larder_hits_total"),
      "misses": sum(told, "larder_misses_total"),
      "calls-total": sum(told, "larder_calls_total"),
      "kept-bytes": told.value("larder_kept_bytes"),
      "entries": told.value("larder_entries"),
      "loading": told.value('larder_under_way{state="loading"}'),
      "waiting": told.value('larder_under_way{state="waiting"}'),
      "evicted": sum(told, "larder_evicted_values_total"),
      "damaged": told.value("larder_damaged_total"),
    };
    const wanted = JSON.stringify(expected);
    await browser.until(
      `Object.entries(${wanted}).every(([id, value]) =>
        Number(document.getElementById(id).dataset.value) === value)`,
    ).catch(async () => assert.deepEqual(await figures(browser), expected));
    const page = await browser.value<string>("document.body.innerText");
    assert.match(page, /\bready\b/);
    assert.match(page, /sim\.ring run <b>17<\/b>\s.*127\.0\.0\.1:\d+/);
    assert.match(page, /refused\s+1\s+storage-full\s+small large value/);
    assert.match(page, /evicted\s+\d+\s+room\s+sim\.n\d/);
    assert.match(page, /quota of sim\.\*/);
    assert.match(page, /remote\.RemoteCache\/Get\s+400\s+0/);
    const kept = Object.entries(told.all("larder_namespace_kept_bytes"));
    const sizes = kept.map(([, bytes]) => bytes);
    assert.equal(
      sizes.reduce((all, each) => all + each),
      told.value("larder_kept_bytes"),
    );
    assert.equal(
      told.value('larder_quota_used_bytes{namespace="sim.*"}'),
      told.value("larder_kept_bytes"),
    );
    await keep(browser, "desk");
    await isUsable(browser);

    await browser.open(url, { ...PHONE, isDark: true });
    await browser.until(
      `document.querySelectorAll("#plots canvas").length > 3`,
    );
    await browser.until(`document.getElementById("hits")?.dataset.value > 0`);
    // Nothing makes the page itself wider than the screen.
    const width = await browser.value("document.documentElement.scrollWidth");
    assert.equal(width, PHONE.width);
    await keep(browser, "phone");
    await hasPlots(browser);

    await remote.publish(id, [bytesOf("value")]);
    await Array.fromAsync(waiter.rest);
    await browser.until(
      `document.getElementById("loading").textContent === "0"`,
    );
    await browser.until(
      `/Nobody computes/.test(document.getElementById("work").innerText)`,
    );
    assert.equal(await browser.value("document.cookie"), "");
    assert.deepEqual(browser.errors, []);

    assert.equal(await server.stop(), 0, server.stderr);
    await browser.until(
      `/no answer/.test(document.getElementById("state").innerText)`,
    );
  }));

/** By keyboard, and for those to whom it is read. */
async function isUsable(browser: Browser): Promise<void> {
  const key = { key: "Tab", code: "Tab", windowsVirtualKeyCode: 9 };
  const names: string[] = [];
  for (let press = 0; press < 20; press++) {
    await browser.call("Input.dispatchKeyEvent", { type: "keyDown", ...key });
    await browser.call("Input.dispatchKeyEvent", { type: "keyUp", ...key });
    names.push(
      await browser.value<string>(
        `document.activeElement.innerText?.split("\\n")[0] ?? ""`,
      ),
    );
  }
  assert.equal(names[0], "Skip to the figures");
  assert.ok(names.includes("Limits"), names.join());
  assert.ok(names.includes("What the server was started with"), names.join());

  const { nodes } = await browser.call("Accessibility.getFullAXTree") as {
    nodes: {
      ignored: boolean;
      role?: { value: string };
      name?: { value: string };
    }[];
  };
  const named = new Map<string, string[]>();
  for (const { ignored, role, name } of nodes) {
    if (ignored || !role) continue;
    const all = named.get(role.value) ?? [];
    named.set(role.value, [...all, name?.value ?? ""]);
  }
  for (const role of ["region", "meter", "link", "table", "columnheader"]) {
    const all = named.get(role) ?? [];
    assert.ok(all.length > 0, `no ${role}`);
    const nameless = all.filter((name) => name === "").length;
    assert.ok(nameless <= 0, `${role}: ${all}`);
  }
}

/** The plots of made up points: real ones would take a while. */
async function hasPlots(browser: Browser): Promise<void> {
  const labels = await browser.value<string[]>(`(async () => {
    const { Plots } = await import("/page/plots.js");
    const place = document.getElementById("plots");
    place.replaceChildren();
    const points = Array.from({ length: 40 }, (_, at) => ({
      atMs: Date.now() - 5_000 * (40 - at), hits: 30 * at, misses: 10 * at,
      calls: 50 * at, publishedBytes: 5_120 * at, keptBytes: 1_048_576,
      medianMs: 0.5, slowMs: 12,
    }));
    new Plots(place).add(points, true);
    return [...place.querySelectorAll("[role=img]")]
      .map((each) => each.getAttribute("aria-label"));
  })()`);
  assert.deepEqual(labels.map((label) => label.replace(/.*now: /, "")), [
    "found 75 %",
    "calls 10",
    "kept 1.0 MiB, published/s 1.0 KiB",
    "half 0.50 ms, 99 % 12 ms",
  ]);
  assert.equal(
    await browser.value("document.querySelectorAll('#plots canvas').length"),
    4,
  );
  const width = await browser.value("document.documentElement.scrollWidth");
  assert.equal(width, PHONE.width);
  await keep(browser, "plots");
}
