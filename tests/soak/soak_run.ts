/**
 * Runs a soak: a server, its visitors, and what watches both.
 *
 * @module
 */

import { temporaryFolder } from "../../src/launch/testing/program.ts";
import { RemoteClient } from "../support/clients.ts";
import { ServerProcess } from "../support/server_process.ts";
import { randomFrom } from "../rude/scale.ts";
import { Witness } from "../rude/witness.ts";
import { POLITE_KINDS } from "./polite_kinds.ts";
import { RUDE_KINDS } from "./rude_kinds.ts";
import {
  COLD_VALUES,
  type Kind,
  LARGE_BYTES,
  NS,
  Site,
  SMALL_BYTES,
  type Tally,
} from "./site.ts";
import { MARGINS, type SoakRun, type SoakSample } from "./verdict.ts";

const MIB = 1024 * 1024;
/** Visitors at once: enough to keep the server busy, and the machine usable. */
const WIDTH = 16;
const SAMPLE_MS = 1_000;
/** Both APIs on picked ports; the lease outlives every pause; see MARGINS. */
const ARGS = [
  ...["-l", "127.0.0.1:0", "-r", "127.0.0.1:0"],
  ...["--heartbeat-timeout", "60s", "--workers", "2"],
];
/** The server lets go of what rude clients left within its own limits. */
const SETTLE_LIMIT_MS = 12_000;
/** The first failures tell the story. */
const MAX_FAILURES = 50;
/** Decides the order of visitors, the same each time. */
const SEED = 42;

/** What is to be done, and who wants to know of it. */
export interface SoakOptions {
  readonly connections: number;
  /** How long a sample takes. */
  readonly sampleMs?: number;
  /** Ends it early; what was seen until then is judged. */
  readonly signal?: AbortSignal;
  readonly onSample?: (sample: SoakSample, tally: Tally) => void;
}

/** What was done. */
export interface SoakResult extends SoakRun {
  readonly tally: Tally;
  /** Visits by kind. */
  readonly visits: ReadonlyMap<string, number>;
}

/** Starts a server on a root of its own, and visits it. */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  await using stack = new AsyncDisposableStack();
  const { path: root } = stack.use(await temporaryFolder());
  const server = stack.use(await ServerProcess.start(root, { args: ARGS }));
  using site = new Site(server);
  await publish(server.remote, site);
  const witness = stack.use(await Witness.start(server.remote, server.pid));
  const failures: string[] = [];
  const visits = new Map<string, number>();
  const { serverPid } = await witness.lap();
  const descriptorsBefore = countDescriptors(serverPid);

  const samples: SoakSample[] = [];
  const startMs = performance.now();
  let isOver = false;
  const visiting = visit(site, options.connections, { failures, visits })
    .finally(() => isOver = true);
  while (!isOver) {
    await Promise.race([pause(options.sampleMs ?? SAMPLE_MS), visiting]);
    const lap = await witness.lap();
    failures.push(...lap.failures.slice(0, MAX_FAILURES));
    const sample = {
      seconds: (performance.now() - startMs) / 1_000,
      connections: site.tally.connections,
      treeMib: lap.nowBytes / MIB,
      peakMib: lap.peakBytes / MIB,
      descriptors: countDescriptors(lap.serverPid),
      p50Ms: lap.p50Ms,
      p99Ms: lap.p99Ms,
      maxMs: lap.maxMs,
      serverPid: lap.serverPid,
    };
    samples.push(sample);
    options.onSample?.(sample, site.tally);
    // A server that is gone for good is not worth more visits.
    if (failures.length >= MAX_FAILURES || options.signal?.aborted) break;
  }
  if (isOver) await visiting;
  site[Symbol.dispose]();
  const { serverPid: lastPid } = await witness.lap();
  const descriptorsAfter = await settle(lastPid, descriptorsBefore);
  return {
    samples,
    descriptorsBefore,
    descriptorsAfter,
    failures,
    tally: site.tally,
    visits,
  };
}

async function publish(address: string, site: Site): Promise<void> {
  using client = new RemoteClient(address);
  const values: [string, number][] = [
    ["small", SMALL_BYTES],
    ["large", LARGE_BYTES],
    ...Array.from(
      { length: COLD_VALUES },
      (_, i): [string, number] => [`cold ${i}`, LARGE_BYTES],
    ),
  ];
  for (const [key, sizeBytes] of values) {
    const { id } = await client.assigned(NS, key);
    await client.set(id, new Uint8Array(sizeBytes).fill(1));
  }
  site.heldId = BigInt((await client.assigned(NS, "held")).id);
}

async function visit(
  site: Site,
  connections: number,
  { failures, visits }: { failures: string[]; visits: Map<string, number> },
): Promise<void> {
  const draw = deck([...POLITE_KINDS, ...RUDE_KINDS]);
  async function visitor(): Promise<void> {
    while (
      site.tally.connections < connections && failures.length < MAX_FAILURES
    ) {
      const kind = draw();
      visits.set(kind.name, (visits.get(kind.name) ?? 0) + 1);
      try {
        await kind.run(site);
      } catch (error) {
        failures.push(`${kind.name}: ${error}`);
      }
    }
  }
  await Promise.all(Array.from({ length: WIDTH }, visitor));
}

/** Draws kinds: every deck holds each as often as it weighs, in any order. */
function deck(kinds: readonly Kind[]): () => Kind {
  const all = kinds.flatMap((kind) => Array<Kind>(kind.weight).fill(kind));
  const random = randomFrom(SEED);
  let left: Kind[] = [];
  return () => {
    if (left.length === 0) left = [...all];
    const at = Math.floor(random() * left.length);
    const drawn = left[at]!;
    left[at] = left.at(-1)!;
    left.pop();
    return drawn;
  };
}

/** Waits until the descriptors are as few as they must be, or the time is up. */
async function settle(pid: number, before: number): Promise<number> {
  const endMs = performance.now() + SETTLE_LIMIT_MS;
  for (;;) {
    const count = countDescriptors(pid);
    if (count <= before + MARGINS.descriptorsLeft) return count;
    if (performance.now() > endMs) return count;
    await pause(200);
  }
}

function countDescriptors(pid: number): number {
  try {
    return [...Deno.readDirSync(`/proc/${pid}/fd`)].length;
  } catch {
    // The process has just gone: the verdict tells it by its id.
    return 0;
  }
}

function pause(forMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, forMs));
}
