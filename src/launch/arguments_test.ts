import assert from "node:assert/strict";
import { completeConfig, type Config } from "../config.ts";
import { StartError } from "../errors.ts";
import { type Invocation, parseCommandLine } from "./arguments.ts";
import { temporaryFolder } from "./testing/program.ts";

function parse(...args: string[]): Promise<Invocation> {
  return parseCommandLine(args, () => "/work");
}

async function configOf(...args: string[]): Promise<Config> {
  const invocation = await parse("serve", ...args);
  assert.equal(invocation.kind, "launch");
  return (invocation as Extract<Invocation, { kind: "launch" }>).config;
}

async function assertRefused(args: string[], message: RegExp): Promise<void> {
  await assert.rejects(parse(...args), (error) => {
    assert(error instanceof StartError, `${error}`);
    assert.equal(error.exitCode, 2);
    assert.match(error.message, message);
    assert(!error.message.includes("\n"), "one line");
    return true;
  });
}

Deno.test("parseCommandLine makes the root absolute", async () => {
  assert.equal((await configOf()).root, "/work/larder-root");
  assert.equal((await configOf("a/../b/")).root, "/work/b");
  assert.equal((await configOf("/c//d/")).root, "/c/d");
});

Deno.test("parseCommandLine reads a flag in every spelling", async () => {
  for (
    const args of [
      ["-l", "[::1]:1"],
      ["-l=[::1]:1"],
      ["-l[::1]:1"],
      ["--local", "[::1]:1"],
      ["--local=[::1]:1"],
      ["-l", "[::1]:1", "--local", "[::1]:1"],
    ]
  ) {
    const { local, remote, root } = await configOf(...args, "/r");
    assert.deepEqual(local, { host: "::1", port: 1 }, args.join(" "));
    assert.equal(remote, undefined);
    assert.equal(root, "/r");
  }
});

Deno.test("parseCommandLine makes paths of sockets absolute, and looks at them then", async () => {
  const path = async (...args: string[]) =>
    ((await configOf(...args)).local as { path: string }).path;
  assert.equal(await path("-l", "unix:a/../s ü"), "/work/s ü");
  assert.equal(await path("-l=unix:///run//s"), "/run/s");
  const serve = (...args: string[]) => ["serve", "/r", ...args];
  await assertRefused(serve("-l", "unix:/r/s"), /lies in the root \/r/);
  await assertRefused(serve("-l", "unix:../r/s"), /lies in the root \/r/);
  await assertRefused(
    serve("-l", "unix:s", "-r", "unix:/work/./s"),
    /are the same socket/,
  );
  await assertRefused(
    serve("-l", `unix:${"x".repeat(102)}`),
    /the path \/work\/x+ has 108 bytes, .* at most 107/,
  );
  await path("-l", `unix:${"x".repeat(101)}`);
  await assertRefused(serve("-l", "unix:/a%b"), /^-l unix:\/a%b: .*holds no/);
  await assertRefused(serve("--http", "unix:/a"), /not an address: write ip/);
  await assertRefused(
    serve("--confined", "-l", "unix:s"),
    /--confined needs --local as an absolute path/,
  );
  await assertRefused(serve("--socket-mode", "0o660"), /such as 0600, 0660/);
});

Deno.test("parseCommandLine understands what is not serving", async () => {
  for (const args of [["--help"], ["-h"], ["serve", "/r", "-h"]]) {
    assert.deepEqual(await parse(...args), { kind: "help" });
  }
  assert.deepEqual(await parse("-V"), { kind: "version" });
  assert.equal((await parse("serve", "--print-command")).kind, "print-command");
});

Deno.test("parseCommandLine understands recover, which takes next to nothing", async () => {
  assert.deepEqual(await parse("recover", "r"), {
    kind: "recover",
    root: "/work/r",
    force: false,
  });
  assert.deepEqual(await parse("recover", "--force"), {
    kind: "recover",
    root: "/work/larder-root",
    force: true,
  });
  assert.deepEqual(await parse("recover", "--help"), { kind: "help" });
  for (
    const args of [["-l", "off"], ["--config", "f"], ["--print-command"]]
  ) {
    await assertRefused(["recover", ...args], /ROOT and --force only/);
  }
  await assertRefused(["recover", "a", "b"], /one ROOT only/);
  await assertRefused(["serve", "--force"], /flag of larder recover/);
});

Deno.test("parseCommandLine tells a supervised server from one of its own", async () => {
  for (const supervised of [true, false]) {
    const flags = supervised ? ["--confined", "--supervised"] : ["--confined"];
    const invocation = await parse("serve", ...flags, "/r");
    assert.equal(invocation.kind, "confined");
    assert.equal(
      "supervised" in invocation && invocation.supervised,
      supervised,
    );
  }
});

Deno.test("parseCommandLine takes a boot id for the confined server only", async () => {
  const bootId = "0123456789abcdef0123456789abcdef";
  const dashed = "01234567-89ab-cdef-0123-456789abcdef";
  const invocation = await parse(
    ...["serve", "--confined", "/r", `--boot-id=${dashed}`],
  );
  assert.equal("bootId" in invocation && invocation.bootId, bootId);
  for (const args of [["serve"], ["serve", "--print-command"]]) {
    await assertRefused([...args, "--boot-id", bootId], /serve --confined/);
  }
  await assertRefused(["recover", "--boot-id", bootId], /ROOT and --force/);
  await assertRefused(
    ["serve", "--confined", "/r", "--boot-id", "%b"],
    /--boot-id %b: write what/,
  );
});

Deno.test("parseCommandLine takes the same twice, and a root that begins with - after --", async () => {
  const args = ["--max-age", "1d", "--max-age=1d", "--", "-root"];
  const { root, maxAgeMs } = await configOf(...args);
  assert.deepEqual([root, maxAgeMs], ["/work/-root", 86_400_000]);
});

Deno.test("parseCommandLine refuses what it does not know, in one line that says what to do", async () => {
  const cases: [string[], RegExp][] = [
    [[], /no command: write larder serve/],
    [["start"], /unknown command start: write larder serve/],
    [["serve", "a", "b"], /one ROOT only: b is one word too many/],
    [["serve", ""], /ROOT "": the folder's name is missing/],
    [
      ["serve", "--locale", "x"],
      /unknown flag --locale: did you mean --local\?/,
    ],
    [
      ["serve", "--heartbeat_interval=2s"],
      /did you mean --heartbeat-interval\?/,
    ],
    [["serve", "--frobnicate"], /unknown flag --frobnicate: --help lists/],
    [["serve", "-x"], /unknown flag -x: --help lists/],
    [["serve", "--toString"], /unknown flag --toString/],
    [["serve", "--__proto__"], /unknown flag --__proto__/],
    [
      ["serve", "-r", "127.0.0.1:1", "--remote=127.0.0.1:2"],
      /^--remote is given twice, as 127\.0\.0\.1:1 and as 127\.0\.0\.1:2: one/,
    ],
    [
      ["serve", "--quotas", "a=1GiB", "--quotas", "b=2GiB"],
      /^--quotas is given twice, as a=1GiB and as b=2GiB: one only/,
    ],
    [["serve", "--config", "a", "--config", "b"], /^--config is given twice/],
    [["recover", "a", "--", "b"], /one ROOT only: b is one word too many/],
    [["serve", "-l"], /-l needs a value/],
    [["serve", "-l", "-r", "off"], /-l needs a value/],
    [["serve", "--workers", "-1"], /--workers -1: write a whole number/],
    [["serve", "--print-command=1"], /--print-command takes no value/],
    [
      ["serve", "--heartbeat-interval", "2000"],
      /interval 2000: it has no unit/,
    ],
    [
      ["serve", "-l", "example.com:1"],
      /-l example\.com:1: example\.com is a name/,
    ],
    [["serve", "-l", "off", "-r", "off"], /both off/],
    [["serve", "--confined", "relative"], /needs ROOT as an absolute path/],
    [["serve", "--confined", "/r", "--config", "f"], /reads no --config/],
    [
      ["serve", "--config", "/nowhere.toml"],
      /nowhere\.toml: there is no such file/,
    ],
    [["serve", "--config", "/tmp"], /not a file/],
  ];
  for (const [args, message] of cases) await assertRefused(args, message);
});

Deno.test("a configuration file gives what flags give, and flags win", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/larder.toml`;
  await Deno.writeTextFile(
    path,
    `root = "cache"
local = "127.0.0.1:0"
remote = "off"
heartbeat-interval = "200ms"
workers = 3
max-message-bytes = 1048576
memory-cache-bytes = "1MiB"
durability = "strict"
`,
  );
  const config = await configOf("--config", path, "--workers", "4");
  const given = {
    root: `${folder.path}/cache`,
    local: { host: "127.0.0.1", port: 0 },
    remote: undefined,
    heartbeatIntervalMs: 200,
    workers: 4,
    maxMessageBytes: 1_048_576,
    memoryCacheBytes: 1_048_576,
    durability: "strict",
  } as const;
  assert.deepEqual(config, completeConfig(given));
  assert.equal(config.heartbeatTimeoutMs, 2_200);
  const other = await configOf("--config", path, "/other");
  assert.equal(other.root, "/other");
});

Deno.test("a configuration file has the sockets of its own folder", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/larder.toml`;
  await Deno.writeTextFile(
    path,
    `local = "unix:run/s"\nsocket-mode = "0660"\nsocket-group = 44\n`,
  );
  const { local, remote, socketMode, socketGroup } = await configOf(
    "--config",
    path,
  );
  assert.deepEqual(local, { path: `${folder.path}/run/s` });
  assert.deepEqual(
    [remote, socketMode, socketGroup],
    [undefined, 0o660, "44"],
  );
});

Deno.test("a configuration file with a mistake is refused by name", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/larder.toml`;
  const cases: [string, RegExp][] = [
    [
      `heartbeat_interval = "2s"`,
      /larder\.toml: unknown key heartbeat_interval: did you mean heartbeat-interval\?/,
    ],
    [
      "heartbeat-interval = 2",
      /larder\.toml: heartbeat-interval 2: it has no unit/,
    ],
    ["workers = 2.5", /whole number/],
    ["local = false", /local must be a string or a number/],
    ["[local]\naddr = 1", /local must be a string or a number/],
    [`root = `, /larder\.toml: .*line 1, column/],
  ];
  for (const [text, message] of cases) {
    await Deno.writeTextFile(path, text);
    await assertRefused(["serve", "--config", path], message);
  }
});

Deno.test("a socket that is handed on reaches the confined server alone", async () => {
  await assertRefused(
    ["serve", "-r", "fd:calls"],
    /^--remote fd:calls .* the confined server alone.* --print-command/,
  );
  for (const how of ["--print-command", "--confined"]) {
    const { config } = await parse("serve", "/r", "-r", "fd:calls", how) as {
      config: Config;
    };
    assert.deepEqual(config.remote, { descriptor: "calls" });
    assert.equal(config.local, undefined);
  }
});
