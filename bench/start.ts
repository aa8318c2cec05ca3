/**
 * How long a start takes, and how much memory, on an empty root and on those
 * with very many entries: one as the original server left it, and one of ours.
 *
 * @module
 */

import { DatabaseSync } from "node:sqlite";
import { buildRoot } from "./crowded.ts";
import { type Memory, memoryOf } from "./memory.ts";
import { median } from "./sample.ts";
import { startLarder } from "./server_process.ts";

/** What a start on the large root must stay within. */
export const START_GOAL = {
  startMs: 600,
  serverPeakMib: 150,
  treePeakMib: 250,
};

/** Medians of several starts. */
export interface StartFigures extends Memory {
  /** What was started on. */
  readonly title: string;
  /** From the command until it answers. */
  readonly startMs: number;
}

/** Starts alternating: empty, of the original for the first time, again, ours. */
export async function measureStarts(
  folder: string,
  { entries, rounds }: { readonly entries: number; readonly rounds: number },
): Promise<StartFigures[]> {
  const original = `${folder}/original`;
  buildOriginalRoot(original, entries);
  const own = `${folder}/own`;
  buildRoot(own, entries);
  const count = entries.toLocaleString("en-US");
  const empty: StartFigures[] = [];
  const first: StartFigures[] = [];
  const again: StartFigures[] = [];
  const ours: StartFigures[] = [];
  for (let round = 0; round < rounds; round++) {
    empty.push(
      await measureStart(`${folder}/empty${round}`, "start on an empty root"),
    );
    const root = `${folder}/large`;
    copyRoot(original, root);
    first.push(
      await measureStart(root, `start on an original root of ${count} entries`),
    );
    again.push(await measureStart(root, `start on it again`));
    Deno.removeSync(root, { recursive: true });
    ours.push(
      await measureStart(own, `start on a root of ours of ${count} entries`),
    );
  }
  return [empty, first, again, ours].map(summary);
}

async function measureStart(
  root: string,
  title: string,
): Promise<StartFigures> {
  await using server = await startLarder(root);
  // Time for what a start leaves for later: it counts as well.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  return { title, startMs: server.startMs, ...memoryOf(server.pid) };
}

function summary(starts: readonly StartFigures[]): StartFigures {
  const of = (pick: (start: StartFigures) => number) =>
    median(starts.map(pick));
  return {
    title: starts[0]!.title,
    startMs: of((start) => start.startMs),
    serverPeakMib: of((start) => start.serverPeakMib),
    treePeakMib: of((start) => start.treePeakMib),
    treeNowMib: of((start) => start.treeNowMib),
  };
}

/** A root as the original server leaves it: its table, and its Cache.toml. */
function buildOriginalRoot(root: string, entries: number): void {
  Deno.mkdirSync(root, { mode: 0o700 });
  Deno.writeTextFileSync(
    `${root}/Cache.toml`,
    `local_addr = "127.0.0.1:28055"
remote_addr = "127.0.0.1:28056"

[heartbeat_interval]
secs = 2
nanos = 0

[heartbeat_timeout]
secs = 4
nanos = 0
`,
  );
  using database = new DatabaseSync(`${root}/cache.sqlite`);
  database.exec(`
    PRAGMA journal_mode = WAL;
    CREATE TABLE manifest(
      namespace TEXT, key BLOB NOT NULL, status INTEGER, PRIMARY KEY(namespace, key)
    );
    BEGIN`);
  const insert = database.prepare(
    "INSERT INTO manifest VALUES ('large', ?, 1)",
  );
  const key = new Uint8Array(32);
  for (let i = 0; i < entries; i++) {
    // Keys are digests as a rule: 32 bytes without order.
    crypto.getRandomValues(key);
    insert.run(key);
  }
  database.exec("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
}

function copyRoot(from: string, to: string): void {
  Deno.mkdirSync(to, { mode: 0o700 });
  for (const { name } of Deno.readDirSync(from)) {
    Deno.copyFileSync(`${from}/${name}`, `${to}/${name}`);
  }
}
