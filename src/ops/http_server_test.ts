import assert from "node:assert/strict";
import { Exposition } from "./exposition.ts";
import { single } from "./family.ts";
import { isAllowedHost } from "./http_host.ts";
import { answer } from "./http_server.ts";

const OPTIONS = {
  hosts: ["metrics.example.com"],
  phase: () => "ready",
  metrics: new Exposition([single("gauge", "a", "Of tests.", () => 7)]),
};

async function asked(
  path: string,
  { method = "GET", host = "127.0.0.1:9", phase = "ready" } = {},
): Promise<[number, string]> {
  const request = new Request(`http://127.0.0.1${path}`, {
    method,
    headers: { host },
  });
  const response = await answer(request, { ...OPTIONS, phase: () => phase });
  return [response.status, await response.text()];
}

Deno.test("answer has three pages, and tells of them", async () => {
  assert.deepEqual(await asked("/metrics"), [
    200,
    "# HELP a Of tests.\n# TYPE a gauge\na 7\n",
  ]);
  assert.deepEqual(await asked("/healthz"), [200, "alive\n"]);
  assert.deepEqual(await asked("/readyz"), [200, "ready\n"]);
  assert.deepEqual(await asked("/readyz", { phase: "draining" }), [
    503,
    "draining\n",
  ]);
  assert.equal((await asked("/"))[0], 404);
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
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
    assert.equal((await asked("/metrics", { method }))[0], 405);
  }
});

Deno.test("a page of others that calls its own name this address gets nothing", async () => {
  for (const path of ["/metrics", "/healthz", "/readyz", "/"]) {
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
