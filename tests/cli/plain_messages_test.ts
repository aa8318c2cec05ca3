/** Whatever goes wrong, what people read is words, and no value that a program forgot. */

import assert from "node:assert/strict";
import { temporaryFolder } from "../../src/launch/testing/program.ts";
import {
  bytes,
  Cache,
  json,
  messagepack,
  type Outage,
} from "../../src/client/mod.ts";
import { run } from "../confinement/support.ts";
import { CacheClient } from "../v1/client.ts";
import { HostedLarder } from "./hosted_larder.ts";
import { larderCommand, withShell } from "./support.ts";

const hosted = await HostedLarder.start();

/** What JavaScript makes of a value that is missing. */
const SLIPS = /\bundefined\b|\[object |\bNaN\b|\bnull\b|\[\]|\{\}/;
const NS = "tests.plain";

/** How a server answers that is none, or not ours. */
const ANSWERS: Record<string, (connection: Deno.Conn) => Promise<void>> = {
  silent: async (connection) => {
    // Nothing is said until the client gives up.
    while (await connection.read(new Uint8Array(1024)) !== null);
  },
  closing: () => Promise.resolve(),
  "an HTTP/1 server": async (connection) => {
    await connection.read(new Uint8Array(1024));
    const text = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
    await connection.write(new TextEncoder().encode(text));
  },
  garbage: async (connection) => {
    await connection.write(new Uint8Array(99).fill(7));
  },
};

/** Answers each connection so, until disposed. */
function answering(
  answer: (connection: Deno.Conn) => Promise<void>,
): { readonly address: string } & Disposable {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  async function take(connection: Deno.Conn): Promise<void> {
    open.add(connection);
    await answer(connection).catch(() => {});
    if (open.delete(connection)) connection.close();
  }
  void (async () => {
    for await (const connection of listener) void take(connection);
  })().catch(() => {});
  return {
    address: `127.0.0.1:${listener.addr.port}`,
    [Symbol.dispose]() {
      listener.close();
      for (const connection of open) connection.close();
      open.clear();
    },
  };
}

function assertPlain(text: string, what: string): void {
  assert.doesNotMatch(text, SLIPS, what);
}

/** What the command line says, all of it. */
async function said(
  args: readonly string[],
  more: Record<string, string> = {},
): Promise<string> {
  await using folder = await temporaryFolder();
  const env = {
    LARDER_REMOTE: "",
    LARDER_LOCAL: "",
    XDG_STATE_HOME: "/dev/null",
    ...more,
  };
  const { stdout, stderr } = await hosted.run({
    ...{ args, folder: folder.path, env },
  });
  return stdout + stderr;
}

/** What the server says, which has a process of its own. */
async function saidOfServer(args: readonly string[]): Promise<string> {
  const [program, ...words] = larderCommand(...args);
  const { stdout, stderr } = await run(program!, words);
  return stdout + stderr;
}

const COMMANDS: Record<string, readonly string[]> = {
  get: ["get", NS, "key"],
  put: ["put", NS, "key", "/etc/hostname"],
  stat: ["stat", NS, "key"],
  ls: ["ls", NS],
  usage: ["usage"],
  rm: ["rm", NS, "key"],
  gc: ["gc"],
  verify: ["verify", NS],
  doctor: ["doctor"],
  run: ["run", "--key", "x", "--", "true"],
};

/** Runs a few at once: each is a process. */
async function inTurns<T>(
  all: readonly T[],
  run: (each: T) => Promise<void>,
): Promise<void> {
  const rest = all.values();
  await Promise.all(Array.from({ length: 3 }, async () => {
    for (const each of rest) await run(each);
  }));
}

Deno.test("where nobody answers, or the address is none, each command says so in words", async () => {
  const cases = Object.values(COMMANDS).flatMap((words) => {
    const [name, ...rest] = words as [string, ...string[]];
    return ["127.0.0.1:1", "nobody"].map((
      address,
    ) => [name, "--remote", address, ...rest]);
  });
  for (const words of cases) {
    const text = await said(words);
    assertPlain(text, words.join(" "));
    // `run` begins its own command, and tells nobody who does not ask.
    assert(text.length > 0 || words[0] === "run", words.join(" "));
  }
});

Deno.test("an address that is malformed is refused in words, wherever it stands", async () => {
  const addresses = ["", " ", ":", "127.0.0.1", "[::1", "http://127.0.0.1:1"];
  for (const address of [...addresses, "127.0.0.1:99999", "unix:"]) {
    const flag = ["usage", `--remote=${address}`];
    assertPlain(await said(flag), flag.join(" "));
    const variable = await said(["usage"], { LARDER_REMOTE: address });
    assertPlain(variable, `LARDER_REMOTE=${address}`);
  }
});

Deno.test("a server that is told flags that it has not says so in words", async () => {
  const flags = [
    ...["--nope", "--max-bytes=0", "--max-entries=x", "--min-free=5"],
    ...["--quotas=a", "--quotas==", "--workers=", "--config=/nowhere"],
    ...["--heartbeat-interval=1ms", "--local=nobody", "--durability=x"],
  ];
  await inTurns(flags, async (flag) => {
    const text = await saidOfServer(["serve", "/nowhere/root", flag]);
    assert.match(text, /^larder: [^\n]+\n$/, flag);
    assertPlain(text, flag);
  });
});

for (const [kind, answer] of Object.entries(ANSWERS)) {
  Deno.test(`a server that is ${kind} is told of in words`, async () => {
    using other = answering(answer);
    const { address: remote } = other;
    const told: string[] = [];
    {
      await using cache = await Cache.connect({
        remote,
        patienceMs: 500,
        onOutage: ({ error }) => told.push(error.message),
      });
      await cache.generate(NS, "key", () => "computed");
      const calls: (() => Promise<unknown>)[] = [
        () => cache.get(NS, "key"),
        () => cache.set(NS, "key", 1),
        () => cache.claim(NS, "key"),
        () => cache.stat(NS, "key"),
        () => cache.delete(NS, "key"),
      ];
      for (const call of calls) {
        await call().catch((error: Error) => told.push(error.message));
      }
    }
    assert(told.length > 0);
    for (const message of told) assertPlain(message, message);
    // As often as it takes for the connection to break at each of its steps.
    const times = kind === "silent" ? 1 : 3;
    for (let time = 0; time < times; time++) {
      const text = await said(["usage", "--remote", remote]);
      assert.match(text, /^larder: .*: start it, or say where it is/, kind);
      assertPlain(text, text);
    }
  });
}

Deno.test("a value that is malformed is told of in words, as is a call that is refused", async () => {
  await withShell(async ({ server }) => {
    using client = new CacheClient(server.remote);
    const told: string[] = [];
    await using cache = await Cache.connect({
      remote: server.remote,
      onOutage: ({ error }: Outage) => told.push(error.message),
    });
    for (const [at, codec] of [json<unknown>(), messagepack()].entries()) {
      for (const text of ["", "{", "\xc1", "[1"]) {
        const key = `${at} ${text}`;
        const value = new TextEncoder().encode(text);
        assert(await cache.set(NS, key, value, { codec: bytes }));
        await cache.get<unknown>(NS, key, { codec })
          .catch((error: Error) => told.push(error.message));
      }
    }
    const refused: [string, object][] = [
      ["Stat", { namespace: "no name", key: new Uint8Array() }],
      ["Stat", { namespace: NS, key: new Uint8Array() }],
      ["Stat", { namespace: NS, key: new Uint8Array(70_000) }],
      ["List", { namespace: "", pageToken: "x", pageSize: 1 }],
      ["List", { namespace: NS, pageSize: 1_000_000 }],
      ["Usage", { pageToken: "zz" }],
      ["Delete", {
        namespace: NS,
        key: new Uint8Array(),
        sha256: Uint8Array.of(1),
      }],
      ["Heartbeat", {}],
      ["Abandon", { id: "7" }],
      ["Release", { handle: "7" }],
    ];
    for (const [method, request] of refused) {
      await client.call(method, request)
        .catch((error: Error) => told.push(error.message));
    }
    assert(told.length > 6, told.join("\n"));
    for (const message of told) assertPlain(message, message);
  });
});
