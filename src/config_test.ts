import assert from "node:assert/strict";
import {
  completeConfig,
  type Config,
  CONFIG_KEYS,
  type GivenConfig,
  readSetting,
  renderArguments,
} from "./config.ts";
import { StartError } from "./errors.ts";
import { parseCommandLine } from "./launch/arguments.ts";
import { SETTINGS } from "./config/settings.ts";

function read(texts: Partial<Record<keyof Config, string>>): GivenConfig {
  const given: GivenConfig = {};
  for (const key of CONFIG_KEYS) {
    const text = texts[key];
    if (text !== undefined) readSetting(given, key, { text, source: key });
  }
  return given;
}

function complete(texts: Partial<Record<keyof Config, string>>): Config {
  return completeConfig(read(texts));
}

Deno.test("completeConfig fills in the defaults", () => {
  const { workers, ...config } = complete({});
  assert(workers >= 1 && workers <= 8);
  assert.deepEqual(config, {
    root: "./larder-root",
    local: { host: "127.0.0.1", port: 28_055 },
    remote: { host: "127.0.0.1", port: 28_056 },
    socketMode: 0o600,
    socketGroup: undefined,
    http: undefined,
    httpHosts: [],
    tlsCert: undefined,
    tlsKey: undefined,
    clientCa: undefined,
    tlsOn: "all",
    access: undefined,
    insecure: false,
    shared: false,
    sharedGroups: [],
    heartbeatIntervalMs: 2_000,
    heartbeatTimeoutMs: 4_000,
    restartGraceMs: 60_000,
    drainTimeoutMs: 10_000,
    handleLeaseMs: 3_600_000,
    maxComputeMs: undefined,
    maxBytes: undefined,
    maxEntries: undefined,
    maxAgeMs: undefined,
    minFree: { bytes: 100 * 2 ** 20 },
    quotas: [],
    memoryBudgetBytes: 128 * 2 ** 20,
    maxConnections: 3_000,
    maxStreams: 256,
    handshakeTimeoutMs: 10_000,
    idleBodyTimeoutMs: 30_000,
    stallTimeoutMs: 20_000,
    keepaliveMs: 60_000,
    keepaliveTimeoutMs: 20_000,
    maxMessageBytes: 64 * 1024 * 1024,
    maxReplyBytes: 4 * 1024 * 1024,
    memoryCacheBytes: 32 * 1024 * 1024,
    durability: "relaxed",
    httpPage: true,
    traceRatio: undefined,
    logCalls: "off",
    logFormat: "text",
  });
});

Deno.test("completeConfig uses default addresses only when neither API has one", () => {
  const cases: [string | undefined, string | undefined, string, string][] = [
    [undefined, undefined, "127.0.0.1:28055", "127.0.0.1:28056"],
    ["[::1]:0", undefined, "[::1]:0", "off"],
    [undefined, "[::1]:0", "off", "[::1]:0"],
    ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:1", "127.0.0.1:2"],
    ["off", undefined, "off", "127.0.0.1:28056"],
    [undefined, "off", "127.0.0.1:28055", "off"],
    ["off", "127.0.0.1:2", "off", "127.0.0.1:2"],
    ["127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"],
  ];
  for (const [local, remote, localAgain, remoteAgain] of cases) {
    const config = complete({
      ...(local === undefined ? {} : { local }),
      ...(remote === undefined ? {} : { remote }),
    });
    assert.equal(SETTINGS.local.render(config.local), localAgain);
    assert.equal(SETTINGS.remote.render(config.remote), remoteAgain);
  }
});

Deno.test("completeConfig lets the lease follow the interval", () => {
  const config = complete({ heartbeatIntervalMs: "200ms" });
  assert.equal(config.heartbeatTimeoutMs, 2_200);
});

Deno.test("completeConfig refuses settings that contradict each other", () => {
  const cases: [Partial<Record<keyof Config, string>>, RegExp][] = [
    [{ local: "off", remote: "off" }, /both off: give one/],
    [
      { local: "127.0.0.1:5", remote: "localhost:5" },
      /same address: give each its own port/,
    ],
    [
      { heartbeatIntervalMs: "2s", heartbeatTimeoutMs: "2s" },
      /--heartbeat-interval 2s must be shorter than --heartbeat-timeout 2s/,
    ],
    [{ heartbeatTimeoutMs: "1999ms" }, /interval 2s must be shorter/],
    [{ heartbeatIntervalMs: "24d" }, /so long that the lease/],
  ];
  for (const [texts, message] of cases) {
    assert.throws(() => complete(texts), (error) => {
      assert(error instanceof StartError);
      assert.equal(error.exitCode, 2);
      assert.match(error.message, message);
      return true;
    });
  }
});

Deno.test("completeConfig takes an interval one millisecond shorter than the lease", () => {
  const config = complete({
    heartbeatIntervalMs: "1999ms",
    heartbeatTimeoutMs: "2s",
  });
  assert.equal(config.heartbeatIntervalMs, 1_999);
});

Deno.test("readSetting names the source, the value and what to write", () => {
  const cases: [keyof Config, string, RegExp][] = [
    ["root", "", /^root "": the folder's name is missing$/],
    ["root", "a,b", /cannot hold a comma/],
    ["heartbeatIntervalMs", "9ms", /out of range: 10ms to 24d$/],
    ["heartbeatTimeoutMs", "99ms", /out of range: 100ms to/],
    ["handleLeaseMs", "1ms", /out of range: 100ms to/],
    ["maxComputeMs", "1ms", /out of range: 100ms to/],
    ["maxAgeMs", "999ms", /out of range: 1s to/],
    ["handshakeTimeoutMs", "99ms", /out of range: 100ms to/],
    ["idleBodyTimeoutMs", "1ms", /out of range: 100ms to/],
    ["stallTimeoutMs", "1ms", /out of range: 100ms to/],
    ["keepaliveMs", "1ms", /out of range: 100ms to/],
    ["keepaliveTimeoutMs", "1ms", /out of range: 100ms to/],
    ["drainTimeoutMs", "25d", /out of range: 0ms to 24d$/],
    ["handleLeaseMs", "30d", /out of range: 100ms to 24d$/],
    ["drainTimeoutMs", "25y", /not a duration/],
    ["restartGraceMs", "600h", /out of range: 0ms/],
    ["workers", "0", /whole number from 1 to 64/],
    ["workers", "65", /whole number from 1 to 64/],
    ["workers", "2.5", /whole number from 1 to 64/],
    ["maxMessageBytes", "1023", /out of range: 1KiB to 1GiB/],
    ["maxMessageBytes", "2GiB", /out of range: 1KiB to 1GiB/],
    ["memoryCacheBytes", "64MB", /not a size/],
    // A blank splits the words: what is left is told from a number of bytes.
    ["maxMessageBytes", "64", /out of range: 1KiB to 1GiB, in bytes where /],
    ["traceRatio", "1.01", /write a number from 0 to 1, such as 0.01, or off/],
    ["traceRatio", "-1", /from 0 to 1/],
    ["traceRatio", "", /from 0 to 1/],
    ["durability", "fast", /^durability fast: write relaxed or strict$/],
  ];
  for (const [key, text, message] of cases) {
    assert.throws(() => read({ [key]: text }), { message }, `${key} ${text}`);
  }
});

Deno.test("renderArguments writes what the command line reads back", async () => {
  const config = complete({
    root: "/srv/cache",
    local: "[::1]:0",
    heartbeatIntervalMs: "200ms",
    heartbeatTimeoutMs: "1s",
    restartGraceMs: "0s",
    handleLeaseMs: "90m",
    workers: "63",
    maxMessageBytes: "1MiB",
    maxReplyBytes: "2MiB",
    memoryCacheBytes: "0",
    durability: "strict",
    traceRatio: "0.0000001",
  });
  const args = renderArguments(config);
  assert.deepEqual(args.slice(0, 5), [
    "/srv/cache",
    "-l",
    "[::1]:0",
    "-r",
    "off",
  ]);
  const invocation = await parseCommandLine(
    ["serve", "--confined", ...args],
    () => assert.fail("a confined process has no working folder"),
  );
  assert.deepEqual(invocation, { kind: "confined", config, supervised: false });
});

Deno.test("renderArguments leaves defaults out, beside the addresses", () => {
  assert.deepEqual(
    renderArguments(complete({ root: "/srv/cache" })),
    ["/srv/cache", "-l", "127.0.0.1:28055", "-r", "127.0.0.1:28056"],
  );
});
