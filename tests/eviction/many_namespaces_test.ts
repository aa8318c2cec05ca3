/** A root of very many namespaces: room is made in it, and people see what it holds. */

import assert from "node:assert/strict";
import { sha256Hex } from "../../workers/digest.ts";
import { openManifest } from "../../workers/manifest_schema.ts";
import { GrpcClient, methodOf } from "../support/grpc_client.ts";
import { withRoot } from "../support/root.ts";
import { ServerProcess } from "../support/server_process.ts";
import { Shell } from "../cli/support.ts";
import { CacheClient, SERVICE } from "../v1/client.ts";

const COUNT = 17_500;
const MAX_ENTRIES = COUNT - 1;
/** What a full quota is brought down to. */
const LEFT = Math.floor(MAX_ENTRIES * 0.9);
const KEY = new TextEncoder().encode("key");
const VALUE = Uint8Array.of(7);
const FILE = sha256Hex(KEY);
/** Names that together do not fit a message of 4 MiB. */
const PADDING = "x".repeat(240);

function nameOf(index: number): string {
  return `tests.n${index}.${PADDING}`.slice(0, 250);
}

/** The one used last is `nameOf(0)`; they are used in another order than they are made. */
function ageOf(index: number): number {
  return (index * 7_919) % COUNT;
}

/** A root with an entry in each namespace; the files of those that will go. */
function makeRoot(root: string): void {
  const { database } = openManifest(root, {
    durability: "relaxed",
    nowMs: Date.now(),
  });
  const insert = database.prepare(
    "INSERT INTO manifest(namespace, key, status, id, size, sha256, created_ms, accessed_ms) " +
      "VALUES(?, ?, 1, ?, 1, unhex(?), ?, ?)",
  );
  const sha256 = sha256Hex(VALUE);
  const nowMs = Date.now();
  database.run("BEGIN");
  for (let index = 0; index < COUNT; index++) {
    const usedMs = nowMs - ageOf(index) * 1_000;
    insert.run(nameOf(index), KEY, index + 1, sha256, usedMs, usedMs);
    if (ageOf(index) < LEFT - 10) continue;
    Deno.mkdirSync(`${root}/${nameOf(index)}`, { mode: 0o700 });
    Deno.writeFileSync(`${root}/${nameOf(index)}/${FILE}`, VALUE);
  }
  database.run("COMMIT");
  database.close();
}

interface UsagePage {
  readonly namespaces: readonly {
    readonly namespace: string;
    readonly entries: string;
  }[];
  readonly nextPageToken: string;
}

async function usedNamespaces(
  address: string,
  pageSize: number,
): Promise<string[]> {
  // What a client that was told nothing about sizes makes of it.
  const channel = { "grpc.max_receive_message_length": 4 * 1024 * 1024 };
  using client = new GrpcClient(address, { channel });
  const names: string[] = [];
  let pageToken = "";
  do {
    const page = await client.unary<UsagePage>(methodOf(SERVICE, "Usage"), {
      pageSize,
      pageToken,
    });
    assert(page.namespaces.length <= (pageSize || 500));
    names.push(...page.namespaces.map(({ namespace }) => namespace));
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return names;
}

Deno.test("17,500 namespaces: the oldest go, their folders too, and all are listed", async () => {
  await withRoot(async (root) => {
    makeRoot(root);
    await using server = await ServerProcess.start(root, {
      args: ["--max-entries", `${MAX_ENTRIES}`],
    });
    using remote = new CacheClient(server.remote);
    await remote.call("Sweep");
    const expected = Array.from({ length: COUNT }, (_, index) => index)
      .filter((index) => ageOf(index) < LEFT).map(nameOf).sort();
    assert.deepEqual(await usedNamespaces(server.remote, 0), expected);
    assert.deepEqual(
      [...Deno.readDirSync(root)].map(({ name }) => name)
        .filter((name) => name.startsWith("tests.")).length,
      10,
      "of those that went no folder is left",
    );
    const said = await new Shell(root, server).json("usage");
    assert.equal(said["entries"], LEFT);
    const namespaces = said["namespaces"] as { namespace: string }[];
    assert.deepEqual(
      namespaces.map(({ namespace }) => namespace),
      expected,
    );
    assert.doesNotMatch(server.stderr, /did not finish|cannot keep/);
  });
});
