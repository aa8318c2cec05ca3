import assert from "node:assert/strict";
import { FakeClock } from "../clock.ts";
import type { Picture } from "../engine/pictures.ts";
import { Exposition } from "./exposition.ts";
import { single } from "./family.ts";
import { History } from "./history.ts";
import { answer, type Answered } from "./http_answers.ts";
import { isAllowedHost } from "./http_host.ts";
import { LivePictures } from "./live_pictures.ts";

const CLOCK = new FakeClock();
const ZEROS = { hits: 0, misses: 0, calls: 0, publishedBytes: 0, keptBytes: 0 };
/** How many may watch yet. */
let seats = 0;
let made = 0;

const OPTIONS = {
  hosts: ["metrics.example.com"],
  phase: () => "ready",
  hasPage: true,
  metrics: new Exposition([single("gauge", "a", "Of tests.", () => 7)]),
  live: new LivePictures({
    clock: CLOCK,
    pictures: {
      current: () =>
        Promise.resolve({ phase: `${++made}` } as unknown as Picture),
      join() {
        if (seats === 0) return undefined;
        seats--;
        return { [Symbol.dispose]: () => void seats++ };
      },
    },
    history: new History(CLOCK, () => ZEROS),
    calls: () => [],
    settings: [["--max-bytes", "off"]],
  }),
};

async function answered(
  url: string,
  { method = "GET", host = "127.0.0.1:9", site = "", phase = "ready" } = {},
): Promise<Answered> {
  return await answer(
    { method, url, host, site: site || undefined },
    { ...OPTIONS, phase: () => phase },
  );
}

async function asked(
  ...args: Parameters<typeof answered>
): Promise<[number, unknown]> {
  const { status, body } = await answered(...args);
  return [status, body];
}

Deno.test("answer has metrics, probes and a page, and tells of them", async () => {
  assert.deepEqual(await asked("/metrics"), [
    200,
    "# HELP a Of tests.\n# TYPE a gauge\na 7\n",
  ]);
  assert.deepEqual(await asked("/healthz"), [200, "alive\n"]);
  assert.deepEqual(await asked("/readyz?verbose"), [200, "ready\n"]);
  assert.deepEqual(await asked("/readyz", { phase: "draining" }), [
    503,
    "draining\n",
  ]);
  const [status, text] = await asked("/other");
  assert.equal(status, 404);
  assert.match(`${text}`, /\/metrics/);
});

Deno.test("the page needs nothing that is not served beside it", async () => {
  const { status, headers, body } = await answered("/");
  assert.equal(status, 200);
  assert.equal(headers["content-type"], "text/html; charset=utf-8");
  const policy = headers["content-security-policy"]!;
  assert.match(policy, /^default-src 'none';.* frame-ancestors 'none'$/);
  assert.doesNotMatch(policy, /unsafe|https?:|\*/);
  const open = [...`${body}`.matchAll(/(?:src|href)="(\/[^"]+)"/g)]
    .map(([, path]) => path!);
  assert.ok(open.length >= 6);
  const seen = new Set<string>();
  for (let path = open.pop(); path; path = open.pop()) {
    if (path === "/metrics" || seen.has(path)) continue;
    seen.add(path);
    const file = await answered(path);
    assert.equal(file.status, 200, path);
    assert.equal(file.headers["x-content-type-options"], "nosniff");
    for (const [, name] of `${file.body}`.matchAll(/from "\.\/(.+?)"/g)) {
      open.push(`/page/${name}`);
    }
  }
  assert.ok(seen.has("/page/tables.js") && seen.has("/page/uplot.js"));
  // No cookies, no inline code, nothing of other hosts.
  assert.doesNotMatch(`${body}`, /<script>|<style| on\w+=|style=/);
  for (const path of seen) {
    if (path.startsWith("/page/uplot")) continue;
    const text = `${(await answered(path)).body}`;
    assert.doesNotMatch(text, /innerHTML|outerHTML|insertAdjacent|cookie/);
    assert.doesNotMatch(text.replaceAll("http://www.w3.org/", ""), /https?:/);
  }
});

Deno.test("without the page there are metrics and probes only", async () => {
  seats = 1;
  const without = { ...OPTIONS, hasPage: false };
  const request = { method: "GET", host: "localhost", site: undefined };
  for (const url of ["/", "/page/page.js", "/page/uplot.js", "/live"]) {
    const { status, body } = await answer({ ...request, url }, without);
    assert.equal(status, 404, url);
    assert.match(`${body}`, /^there are \/metrics, \/healthz and \/readyz/);
  }
  assert.equal(seats, 1);
  seats = 0;
  for (const url of ["/metrics", "/healthz", "/readyz"]) {
    const { status } = await answer({ ...request, url }, without);
    assert.equal(status, 200, url);
  }
});

Deno.test("those who ask at the same time get one answer", async () => {
  let read = 0;
  const metrics = new Exposition([single("gauge", "a", "Of tests.", () => {
    return ++read;
  })]);
  const texts = await Promise.all([metrics.text(), metrics.text()]);
  assert.equal(texts[0], texts[1]);
  assert.equal(read, 1);
  await metrics.text();
  assert.equal(read, 2);
});

Deno.test("answer takes nothing but GET and HEAD", async () => {
  assert.equal((await asked("/metrics", { method: "HEAD" }))[0], 200);
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", ""]) {
    assert.equal((await asked("/metrics", { method }))[0], 405);
  }
});

Deno.test("the live stream has a line a second, and as many readers as may watch", async () => {
  seats = 1;
  const { body } = await answered("/live");
  assert.ok(typeof body !== "string");
  assert.equal((await asked("/live"))[0], 503);
  assert.equal((await asked("/live", { method: "HEAD" }))[1], "");
  const first = JSON.parse((await body.next()).value);
  assert.deepEqual(first.settings, [["--max-bytes", "off"]]);
  assert.equal(first.points.length, 1);
  const next = body.next();
  CLOCK.advance(1_000);
  const second = JSON.parse((await next).value);
  assert.equal(second.settings, undefined);
  assert.deepEqual([second.points, second.anew], [[], false]);
  // Who reads slowly misses pictures: the next is made when it is wanted.
  const before = made;
  CLOCK.advance(60_000);
  assert.equal(made, before);
  await body.next();
  const waiting = body.next();
  await body.return(undefined);
  assert.equal((await waiting).done, true);
  await body.return(undefined);
  assert.equal(seats, 1);
  seats = 0;
});

Deno.test("a page of others takes no place at the live stream", async () => {
  seats = 1;
  assert.equal((await asked("/live", { site: "cross-site" }))[0], 403);
  assert.equal(seats, 1);
  seats = 0;
});

Deno.test("a page of others that calls its own name this address gets nothing", async () => {
  for (const path of ["/metrics", "/healthz", "/readyz", "/", "/live"]) {
    assert.equal((await asked(path, { host: "evil.example" }))[0], 421);
  }
  const { hosts } = OPTIONS;
  for (
    const host of [
      ...["127.0.0.1", "10.1.2.3:9100", "[::1]:9100", "[fe80::1]", "localhost"],
      ...["LOCALHOST:1", "metrics.example.com:9100", "Metrics.Example.com."],
    ]
  ) assert.ok(isAllowedHost(host, hosts), host);
  for (
    const host of [
      ...["evil.example", "127.0.0.1.evil.example", "localhost.evil.example"],
      ...["evil.example:9100", "", "1.2.3.4.5", "[evil]", "a@127.0.0.1"],
    ]
  ) assert.ok(!isAllowedHost(host, hosts), host);
});
