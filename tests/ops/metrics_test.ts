/** Metrics say what clients did, and nothing else. */

import assert from "node:assert/strict";
import { EXPIRED, SERVER } from "../support/certificates.ts";
import { bytesOf, RemoteClient } from "../support/clients.ts";
import { withRoot } from "../support/root.ts";
import { ServerHere } from "../support/server_here.ts";
import { rejectsWith, until } from "../support/status.ts";
import { tlsArgs, writeTlsFiles } from "../support/tls_files.ts";
import { eachOf } from "../support/waiting.ts";
import { first } from "../v1/client.ts";
import { type Site, withSite } from "../v1/support.ts";
import { promtool } from "./promtool.ts";
import { Scrape } from "./scrape.ts";

const CACHE = "larder.v1.Cache";
const ARGS = ["--http", "127.0.0.1:0"];

function withMetrics(
  body: (site: Site) => Promise<void>,
  ...args: string[]
): Promise<void> {
  return withSite(body, { args: [...ARGS, ...args], confined: true });
}

Deno.test("metrics are what clients have counted themselves", async () => {
  await withMetrics(async ({ server, remote }) => {
    using original = new RemoteClient(server.remote);
    const [values, readers] = [40, 8];
    // On a disk that is slow, one may be told Loading.
    const hits = [0, 0, 0, 0];
    await eachOf(values, readers, async (at) => {
      const namespace = `load.n${at % 4}`;
      await remote.put(namespace, `k${at}`, "x".repeat(at));
      for (let read = 0; read < 10; read++) {
        const { entryStatus } = await original.get(namespace, `k${at}`);
        if (entryStatus === "ready") hits[at % 4]!++;
      }
    });
    await rejectsWith(
      "NOT_FOUND",
      remote.call("Stat", { namespace: "load.n0", key: bytesOf("no") }),
    );
    const told = await Scrape.of(server.http);
    assert.equal(told.calls("remote.RemoteCache", "Get"), values * 10);
    assert.equal(told.calls(CACHE, "Fetch"), values);
    assert.equal(told.calls(CACHE, "Publish"), values);
    assert.equal(told.calls(CACHE, "Stat", "NOT_FOUND"), 1);
    assert.equal(told.calls(CACHE, "Stat"), 0);
    const get = `service="remote.RemoteCache",method="Get"`;
    const durations = "larder_call_duration_seconds";
    assert.equal(told.value(`${durations}_count{${get}}`), values * 10);
    assert.equal(
      told.value(`${durations}_bucket{${get},le="+Inf"}`),
      values * 10,
    );
    // The first Get of each is a miss, which is counted before the namespace
    // has published anything.
    const misses = Object.values(told.all("larder_misses_total"));
    assert.equal(misses.reduce((sum, each) => sum + each), values);
    for (let at = 0; at < 4; at++) {
      const label = `{namespace="load.n${at}"}`;
      assert.equal(told.value(`larder_hits_total${label}`), hits[at]);
      assert.equal(told.value(`larder_published_values_total${label}`), 10);
    }
    const bytes = Object.values(told.all("larder_published_bytes_total"));
    const expected = values * (values - 1) / 2;
    assert.equal(bytes.reduce((sum, each) => sum + each), expected);
    assert.equal(told.value("larder_entries"), values);
    assert.equal(told.value("larder_kept_bytes"), expected);
    const work = told.all("larder_assignments_total");
    assert.equal(work['{event="assigned"}'], values);
    assert.equal(told.value("larder_ready"), 1);
    assert.ok(told.value("larder_disk_bytes") > 0);
    assert.ok(told.value("process_resident_memory_bytes") > 0);
    const claims = told.value(
      'larder_manifest_operation_duration_seconds_count{operation="claim"}',
    );
    assert.equal(claims, values);
  });
});

Deno.test("metrics tell of waits, of work that is given back, and of calls that are given up", async () => {
  await withMetrics(async ({ server, remote, local }) => {
    const { id } = await remote.assigned("ns", "waited");
    const waiter = await first(local.fetch("ns", "waited"));
    assert.ok(waiter.reply.waiting);
    const gone = await first(local.fetch("ns", "waited"));
    const open = await Scrape.of(server.http);
    assert.equal(open.value('larder_under_way{state="waiting"}'), 2);
    assert.equal(open.value('larder_under_way{state="loading"}'), 1);
    gone.rest.cancel();
    await assert.rejects(Array.fromAsync(gone.rest));
    await until(
      () => Scrape.of(server.http),
      (told) => told.calls(CACHE, "Fetch", "CANCELLED") === 1,
    );
    await remote.publish(id, [bytesOf("value")]);
    await Array.fromAsync(waiter.rest);
    const other = await remote.assigned("ns", "other");
    await remote.call("Abandon", { id: other.id });
    const told = await Scrape.of(server.http);
    assert.equal(told.value("larder_waits_total"), 1);
    assert.ok(told.value("larder_waited_seconds_total") > 0);
    assert.equal(told.value('larder_hits_total{namespace="ns"}'), 1);
    const work = told.all("larder_assignments_total");
    assert.deepEqual(work, {
      '{event="assigned"}': 2,
      '{event="abandoned"}': 1,
      '{event="expired"}': 0,
    });
    assert.equal(told.value('larder_under_way{state="waiting"}'), 0);
  });
});

Deno.test("a stopping server is alive and not ready", async () => {
  await withMetrics(
    async ({ server, remote }) => {
      const { id } = await remote.assigned("ns", "work");
      const ask = async (path: string) => {
        const response = await fetch(`http://${server.http}${path}`);
        await response.body?.cancel();
        return response.status;
      };
      assert.equal(await ask("/readyz"), 200);
      const stopped = server.stop();
      await until(() => ask("/readyz"), (status) => status === 503);
      assert.equal(await ask("/healthz"), 200);
      const told = await Scrape.of(server.http);
      assert.equal(told.value("larder_ready"), 0);
      await remote.publish(id, [bytesOf("value")]);
      assert.equal(await stopped, 0, server.stderr);
    },
    "--drain-timeout",
    "60s",
  );
});

Deno.test("metrics say what is kept of which namespace, and what connections are at", async () => {
  await withMetrics(
    async ({ server, remote, local }) => {
      for (const name of ["sim.ring", "sim.mux", "lint"]) {
        await remote.put(name, "key", name);
      }
      const { id } = await remote.assigned("lint", "work");
      const waiter = await first(local.fetch("lint", "work"));
      const told = await until(
        () => Scrape.of(server.http),
        (told) => told.value('larder_connections_by_state{state="idle"}') === 1,
      );
      assert.deepEqual(told.all("larder_namespace_kept_bytes"), {
        '{namespace="sim.ring"}': 8,
        '{namespace="sim.*"}': 7,
        '{namespace="lint"}': 4,
        '{namespace="other"}': 0,
      });
      // Quotas within each other count the same bytes.
      assert.deepEqual(told.all("larder_quota_used_bytes"), {
        '{namespace="sim.*"}': 15,
        '{namespace="sim.ring"}': 8,
      });
      assert.deepEqual(told.all("larder_quota_bytes"), {
        '{namespace="sim.*"}': 2 ** 30,
        '{namespace="sim.ring"}': 1_024,
      });
      assert.deepEqual(told.all("larder_connections_by_state"), {
        '{state="opening"}': 0,
        '{state="busy"}': 1,
        '{state="idle"}': 1,
        '{state="leaving"}': 0,
      });
      await remote.publish(id, [bytesOf("value")]);
      await Array.fromAsync(waiter.rest);
    },
    "--quotas",
    "sim.*=1GiB,sim.ring=1KiB",
  );
});

Deno.test("metrics say when certificates end, as they are now, and nothing without TLS", () =>
  withRoot(async (folder) => {
    const ends = async (server: ServerHere) => {
      const told = await Scrape.of(server.http);
      return told.all("larder_tls_certificate_expiry_timestamp_seconds");
    };
    const [endS, expiredS] = [Date.UTC(2120, 0, 1), Date.UTC(2020, 0, 2)]
      .map((ms) => ms / 1_000);
    const path = await writeTlsFiles(folder, { server: EXPIRED });
    await using server = await ServerHere.start(path("root"), {
      args: [
        ...[...ARGS, "--client-ca", path("ca.pem")],
        ...tlsArgs(path),
      ],
    });
    assert.deepEqual(await ends(server), {
      '{certificate="server"}': expiredS,
      '{certificate="client-ca"}': endS,
    });
    await writeTlsFiles(folder, { server: SERVER });
    await server.reload();
    assert.equal((await ends(server))['{certificate="server"}'], endS);
    await using plain = await ServerHere.start(path("plain"), { args: ARGS });
    assert.deepEqual(await ends(plain), {});
  }));

Deno.test("promtool finds nothing to say about the metrics", async () => {
  await withMetrics(
    async ({ server, remote }) => {
      await remote.put("sim.a", "key", "value");
      const { text } = await Scrape.of(server.http);
      const said = await promtool(["check", "metrics"], text);
      if (said !== undefined) assert.equal(said, "");
    },
    "--quotas",
    "sim.*=1GiB",
  );
});
