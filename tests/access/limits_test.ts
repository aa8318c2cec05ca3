/** What one caller may take at a time, seen by real clients. */

import {
  type ClientReadableStream,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import {
  readRetryInfo,
  readStatus,
} from "../../src/grpc/testing/google_rpc.ts";
import { Cache } from "../../src/client/mod.ts";
import { temporaryFolder } from "../../src/launch/testing/program.ts";
import { sha256Hex } from "../../workers/digest.ts";
import { FaultProxy } from "../support/fault_proxy.ts";
import { ServerHere } from "../support/server_here.ts";
import { until } from "../support/waiting.ts";
import { Caller, idOf, LOCAL, REMOTE, type Reply, V1 } from "./guarded.ts";

/** Of two callers, of whom one has limits. */
function rules(limits: string): string {
  const token = (name: string, more = "") =>
    `[[token]]\nname = "${name}"\nsha256 = "${sha256Hex(name)}"\n` +
    `write = ["*"]\n${more}\n`;
  return token("greedy", `limits = { ${limits} }`) + token("fair");
}

interface Limited {
  readonly server: ServerHere;
  readonly greedy: Caller;
  readonly fair: Caller;
  /** From here on these hold. */
  change(limits: string): Promise<void>;
}

async function limited(
  limits: string,
  run: (limited: Limited) => Promise<void>,
): Promise<void> {
  await using root = await temporaryFolder();
  await using files = await temporaryFolder();
  const access = join(files.path, "access.toml");
  await Deno.writeTextFile(access, rules(limits));
  const args = ["--access", access];
  await using server = await ServerHere.start(root.path, { args });
  using greedy = new Caller(server.local, "greedy", null);
  using fair = new Caller(server.remote, "fair", null);
  await run({
    server,
    greedy,
    fair,
    async change(limits) {
      await Deno.writeTextFile(access, rules(limits));
      await server.reload();
    },
  });
}

const of = (key: string, more: object = {}) => ({
  namespace: "n",
  key: Buffer.from(key),
  assign: true,
  ...more,
});

/** What a Get finds; a busy machine may have to be asked again. */
async function got(
  caller: Caller,
  service: typeof LOCAL,
  key: string,
): Promise<Reply> {
  for (;;) {
    const reply = await caller.call(service, "Get", of(key));
    if (!reply["loading"]) return reply;
  }
}

/** The first message of a stream that goes on. */
const begun = (stream: ClientReadableStream<Reply>) =>
  new Promise<Reply>((resolve, reject) => {
    stream.once("data", resolve);
    stream.on("error", (error: ServiceError) => {
      reject(error);
    });
  });

/** Refused with a RetryInfo that says when to come again. */
async function exhausted(
  call: Promise<unknown>,
  why: RegExp,
): Promise<void> {
  const error: ServiceError = await call.then(
    () => assert.fail("it was not refused"),
    (error) => error,
  );
  assert.equal(error.code, status.RESOURCE_EXHAUSTED, error.message);
  assert.match(error.details, why);
  const [details] = error.metadata.get("grpc-status-details-bin");
  const { code, message, details: [info] } = readStatus(details as Buffer);
  assert.deepEqual([code, message], [error.code, error.details]);
  assert.match(info!.type_url, /google\.rpc\.RetryInfo$/);
  const { retry_delay: { seconds, nanos } } = readRetryInfo(info!.value);
  assert.ok(seconds + nanos > 0);
}

Deno.test("a greedy caller has no more calls than it may, and a fair one is answered beside it", () =>
  limited("calls = 2", async ({ server, greedy, fair }) => {
    const id = idOf(await got(fair, REMOTE, "held"));
    const own = idOf(await got(greedy, LOCAL, "own"));
    // Whoever waits for somebody's work has a call under way.
    const waiting = [1, 2].map(() =>
      greedy.begin("Fetch", of("held", { wait: true }))
    );
    await Promise.all(waiting.map(begun));
    const why = /^"greedy" has 2 of the 2 calls under way that it may have, /;
    using another = new Caller(server.remote, "greedy", null);
    for (let round = 0; round < 3; round++) {
      await exhausted(greedy.stream("Fetch", of("more")), why);
      await exhausted(greedy.call(V1, "Stat", of("held")), why);
      await exhausted(greedy.call(LOCAL, "Done", { id: own }), why);
      const set = another.call(REMOTE, "Set", { id: own, value: Buffer.of(1) });
      await exhausted(set, why);
      await exhausted(greedy.publish([{ begin: { id: own } }]), why);
      // The original's clients take an error as final.
      for (const service of [LOCAL, REMOTE]) {
        const caller = service === LOCAL ? greedy : another;
        const reply = await caller.call(service, "Get", of(`more ${round}`));
        assert.ok(reply["unassigned"]);
      }
      // What keeps work, or gives something back, is never refused.
      await greedy.call(V1, "Heartbeat", { id: own });
      await greedy.call(LOCAL, "Heartbeat", { id: own });
      const found = await got(fair, REMOTE, `fair ${round}`);
      const value = Buffer.from("v");
      await fair.call(REMOTE, "Set", { id: idOf(found), value });
    }
    waiting[0]!.cancel();
    await until(() =>
      greedy.call(V1, "Stat", of("fair 0")).then(() => true, () => false)
    );
    await fair.call(REMOTE, "Set", { id, value: Buffer.from("v") });
    await greedy.call(V1, "Abandon", { id: own });
    // The other one has been answered, and counts no more.
    await until(() =>
      Promise.all([1, 2].map(() => greedy.stream("Fetch", of("held"))))
        .then(() => true, () => false)
    );
  }));

Deno.test("the library waits for its turn, as the server says, until its patience ends", () =>
  limited("assignments = 1", async ({ server, greedy }) => {
    const held = idOf(await got(greedy, LOCAL, "held"));
    const connect = (patienceMs: number) =>
      Cache.connect({ remote: server.remote, token: "greedy", patienceMs });
    // It would be over before the server says to come again.
    await using impatient = await connect(500);
    const lone = await impatient.generate("n", "k", () => "for itself");
    assert.equal(lone, "for itself");
    let isFree = false;
    await using patient = await connect(20_000);
    const waiting = patient.generate("n", "k", () => isFree);
    // Time in which it is told that it has as much as it may.
    await new Promise((resolve) => setTimeout(resolve, 300));
    isFree = true;
    await greedy.call(V1, "Abandon", { id: held });
    assert.equal(await waiting, true);
    // It was given the work, and has published it.
    assert.equal(await patient.get("n", "k"), true);
  }));

Deno.test("calls of a connection that is lost count no more", () =>
  limited("calls = 1", async ({ server, greedy, fair }) => {
    await got(fair, REMOTE, "held");
    await using proxy = await FaultProxy.start(server.local);
    using distant = new Caller(proxy.address, "greedy", null);
    const waiting = distant.begin("Fetch", of("held", { wait: true }));
    await begun(waiting);
    await exhausted(greedy.call(V1, "Stat", of("held")), /has 1 of the 1/);
    const lost = new Promise((resolve) => waiting.on("error", resolve));
    proxy.cut();
    await lost;
    await until(() =>
      greedy.call(V1, "Stat", of("held")).then(() => true, () => false)
    );
  }));

Deno.test("who has as much work, or as many files, as they may gets no more until some is done, or the rules change", () =>
  limited("assignments = 2, handles = 1", async (
    { greedy, fair, change },
  ) => {
    const get = (key: string) => got(greedy, LOCAL, key);
    const first = await get("a");
    idOf(await get("b"));
    assert.ok((await get("c"))["unassigned"]);
    const why = /^"greedy" has 2 of the 2 assignments that it may have, /;
    await exhausted(greedy.stream("Fetch", of("c")), why);
    // Somebody may wait for it, and is told when nobody has it any more.
    const other = idOf(await got(fair, REMOTE, "c"));
    const waiting = greedy.begin("Fetch", of("c", { wait: true }));
    await begun(waiting);
    const ended = exhausted(
      new Promise((_, reject) => waiting.on("error", reject)),
      why,
    );
    await fair.call(V1, "Abandon", { id: other });
    await ended;
    await change("assignments = 3, handles = 1");
    const third = idOf(await get("c"));
    await change("assignments = 2, handles = 1");
    assert.ok((await get("d"))["unassigned"]);
    // Those above it stay: what was given is not taken away.
    await greedy.call(LOCAL, "Heartbeat", { id: third });
    await greedy.call(V1, "Abandon", { id: third });
    assert.ok((await get("d"))["unassigned"]);
    const { id, path } = first["assign"] as { id: string; path: string };
    await Deno.writeTextFile(path, "v");
    await greedy.publish([{ begin: { id, path: true } }, { end: {} }]);
    idOf(await get("d"));

    const handle = ((await get("a"))["ready"] as { id: string }).id;
    assert.ok((await get("a"))["unassigned"]);
    await exhausted(
      greedy.stream("Fetch", of("a", { path: true })),
      /^"greedy" has 1 of the 1 files in hand that it may have, /,
    );
    // Bytes are no file.
    assert.ok((await greedy.stream("Fetch", of("a")))[0]!["ready"]);
    assert.ok((await got(fair, REMOTE, "a"))["ready"]);
    await greedy.call(LOCAL, "Drop", { id: handle });
    assert.ok((await get("a"))["ready"]);
  }));

Deno.test("who has sent too much is held back, and a fair caller is not", () =>
  limited('upload-rate = "64KiB"', async ({ server, fair, change }) => {
    using greedy = new Caller(server.remote, "greedy", null);
    const set = async (caller: Caller, key: string, bytes: number) => {
      const id = idOf(await got(caller, REMOTE, key));
      return { id, value: Buffer.alloc(bytes) };
    };
    const small = await set(greedy, "small", 10_000);
    // A minute and a half's worth: those after it pay for it.
    const large = await set(greedy, "large", 6 * 2 ** 20);
    await greedy.call(REMOTE, "Set", large);
    await exhausted(
      greedy.call(REMOTE, "Set", small),
      /^"greedy" may send 65536 bytes a second, and has sent what takes \d+ s more/,
    );
    // Questions are as good as nothing.
    assert.ok((await greedy.call(REMOTE, "Get", of("small")))["loading"]);
    await greedy.call(REMOTE, "Heartbeat", { id: small.id });
    await fair.call(REMOTE, "Set", await set(fair, "fair", 10_000));
    await change("calls = 100");
    await greedy.call(REMOTE, "Set", small);
  }));
