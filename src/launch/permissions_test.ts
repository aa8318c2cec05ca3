import assert from "node:assert/strict";
import { completeConfig, type GivenConfig } from "../config.ts";
import {
  confinedArguments,
  confinedCommand,
  type Installation,
  thisInstallation,
} from "./permissions.ts";

const INSTALLATION: Installation = {
  deno: "/bin/deno",
  main: "/app/src/main.ts",
  denoConfig: "/app/deno.json",
  readable: ["/app/workers"],
};

function flags(given: GivenConfig): string[] {
  return confinedArguments(completeConfig(given), INSTALLATION);
}

Deno.test("confinedArguments grants the root, the workers and the addresses, nothing else", () => {
  assert.deepEqual(
    flags({
      root: "/srv/cache",
      local: { host: "127.0.0.1", port: 0 },
      remote: { host: "::1", port: 28_056 },
    }),
    [
      "run",
      "--quiet",
      "--no-prompt",
      "--v8-flags=--max-old-space-size=1000,--max-semi-space-size=4",
      "--cached-only",
      "--no-remote",
      "--frozen",
      "--config=/app/deno.json",
      "--allow-read=/srv/cache,/app/workers",
      "--allow-write=/srv/cache",
      "--allow-net=127.0.0.1:0,[::1]:28056",
      "--allow-sys=statfs",
      "--ignore-env",
      "/app/src/main.ts",
      "serve",
      "--confined",
      "/srv/cache",
      "-l",
      "127.0.0.1:0",
      "-r",
      "[::1]:28056",
    ],
  );
});

Deno.test("confinedArguments tells which boot it is, where that is known", () => {
  const args = confinedArguments(
    completeConfig({ root: "/r" }),
    INSTALLATION,
    { bootId: "b0" },
  );
  assert.ok(args.includes("--boot-id=b0"));
});

Deno.test("confinedArguments gives very many connections a larger heap", () => {
  const args = flags({ root: "/r", maxConnections: 50_000 });
  assert.ok(args.some((arg) => arg.includes("--max-old-space-size=2500,")));
});

Deno.test("confinedArguments grants no address of an API that is off", () => {
  const args = flags({
    root: "/r",
    remote: { host: "0.0.0.0", port: 9 },
    insecure: true,
  });
  assert.deepEqual(args.filter((arg) => arg.startsWith("--allow-net")), [
    "--allow-net=0.0.0.0:9",
  ]);
});

Deno.test("confinedArguments grants the address of metrics, and passes it on", () => {
  const args = flags({
    root: "/r",
    remote: { host: "0.0.0.0", port: 9 },
    insecure: true,
    http: { host: "127.0.0.1", port: 9_100 },
    httpHosts: ["a.example", "b"],
  });
  assert.ok(args.includes("--allow-net=0.0.0.0:9,127.0.0.1:9100"));
  const at = args.indexOf("--http");
  assert.deepEqual(args.slice(at), [
    ...["--http", "127.0.0.1:9100", "--http-host", "a.example,b"],
    "--insecure",
  ]);
});

Deno.test("confinedArguments grants no address for a socket that is handed on, and what says which it is", () => {
  const args = flags({
    root: "/r",
    local: { descriptor: "files" },
    remote: { descriptor: "calls" },
  });
  assert.ok(!args.some((arg) => arg.startsWith("--allow-net")));
  const env = "--allow-env=LISTEN_PID,LISTEN_FDS,LISTEN_FDNAMES";
  assert.ok(args.includes(env));
  assert.ok(args.includes("--ignore-env"));
  assert.deepEqual(args.slice(-4), ["-l", "fd:files", "-r", "fd:calls"]);
  const half = flags({
    root: "/r",
    remote: { descriptor: "calls" },
    http: { host: "127.0.0.1", port: 9_100 },
  });
  assert.ok(half.includes("--allow-net=127.0.0.1:9100"));
});

Deno.test("confinedArguments grants the files of TLS to be read, and no more of their folder", () => {
  const args = flags({
    root: "/r",
    tlsCert: "/etc/tls/cert.pem",
    tlsKey: "/etc/tls/key.pem",
    clientCa: "/etc/ca.pem",
  });
  assert.ok(args.includes(
    "--allow-read=/r,/app/workers,/etc/tls/cert.pem,/etc/tls/key.pem,/etc/ca.pem",
  ));
  assert.ok(args.includes("--allow-write=/r"));
});

Deno.test("who wants traces gets Deno's exporter, and no further permission", () => {
  const command = (given: GivenConfig) =>
    confinedCommand(completeConfig({ root: "/r", ...given }), INSTALLATION);
  const without = command({});
  const traced = command({ traceRatio: 0.01 });
  assert.deepEqual(traced.filter((word) => !without.includes(word)), [
    ...["OTEL_DENO_TRACING=true", "OTEL_DENO_CONSOLE=ignore"],
    ...["--trace", "0.01"],
  ]);
  assert.ok(!without.some((word) => word.includes("OTEL")));
});

Deno.test("thisInstallation names files that exist", async () => {
  const { main, denoConfig, readable } = thisInstallation(
    new URL("../main.ts", import.meta.url),
  );
  for (const path of [main, denoConfig, ...readable]) await Deno.stat(path);
});

Deno.test("thisInstallation refuses to run from the web", () => {
  assert.throws(() => thisInstallation("https://example.com/main.ts"), {
    name: "StartError",
    message: /clone it first/,
  });
});

Deno.test("confinedArguments grants a socket by its path alone, and no more of its folder", () => {
  const args = flags({
    root: "/r",
    local: { path: "/run/my larder/ü.sock" },
    remote: { host: "127.0.0.1", port: 9 },
    socketGroup: "1207",
  });
  assert.ok(
    args.includes("--allow-read=/r,/app/workers,/run/my larder/ü.sock"),
  );
  assert.ok(args.includes("--allow-write=/r,/run/my larder/ü.sock"));
  assert.ok(
    args.includes("--allow-net=unix:/run/my larder/ü.sock,127.0.0.1:9"),
  );
  const at = args.indexOf("-l");
  assert.deepEqual(args.slice(at), [
    ...["-l", "unix:/run/my larder/ü.sock", "-r", "127.0.0.1:9"],
    ...["--socket-group", "1207"],
  ]);
});
