/**
 * One call over and over: h2load, of Debian's nghttp2-client.
 *
 * @module
 */

import type { Sample } from "./sample.ts";
import { remoteFrame } from "./services.ts";

/** What h2load is to send. */
export interface Load {
  /** Where. */
  readonly address: string;
  /** Of RemoteCache. */
  readonly method: string;
  /** What the method takes. */
  readonly request: object;
  /** Connections. */
  readonly connections: number;
  /** Calls under way at once on each. */
  readonly streams: number;
  /** That are measured; the warm-up comes on top. */
  readonly seconds: number;
  /** Bytes that each reply has at least, so that errors are not taken for speed. */
  readonly replyBytes: number;
}

/** Why h2load cannot run; `undefined` when it can. */
export async function missingH2load(): Promise<string | undefined> {
  try {
    await new Deno.Command("h2load", { args: ["--version"], stdout: "null" })
      .output();
    return undefined;
  } catch {
    return "h2load is missing: install nghttp2-client";
  }
}

/** Runs it once. */
export async function h2load(load: Load): Promise<Sample> {
  const folder = await Deno.makeTempDir({ prefix: "larder-bench-" });
  try {
    const body = `${folder}/body`;
    const log = `${folder}/log`;
    await Deno.writeFile(body, remoteFrame(load.method, load.request));
    const { success, stdout, stderr } = await new Deno.Command("h2load", {
      args: [
        ...["-c", `${load.connections}`, "-m", `${load.streams}`],
        ...["-D", `${load.seconds}`, "--warm-up-time=1"],
        ...["-H", "content-type: application/grpc", "-H", "te: trailers"],
        ...["-d", body, `--log-file=${log}`],
        `http://${load.address}/remote.RemoteCache/${load.method}`,
      ],
    }).output();
    const said = new TextDecoder().decode(stdout);
    if (!success) {
      throw new Error(`h2load failed: ${new TextDecoder().decode(stderr)}`);
    }
    check(said, load);
    return {
      perSecond: Number(/, ([\d.]+) req\/s/.exec(said)?.[1]),
      ...percentiles(await Deno.readTextFile(log)),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A gRPC error is HTTP 200 without data: only the data tells it. */
function check(said: string, { method, replyBytes }: Load): void {
  const done = Number(/(\d+) done/.exec(said)?.[1]);
  const failed = Number(/(\d+) failed/.exec(said)?.[1]);
  const data = Number(/\((\d+)\) data/.exec(said)?.[1]);
  if (!(done > 0) || failed > 0 || !(data >= done * (replyBytes + 5))) {
    throw new Error(`${method} was answered with errors:\n${said}`);
  }
}

/** A line of the log: start time, status, microseconds. */
function percentiles(log: string): Pick<Sample, "p50Ms" | "p99Ms"> {
  const took = Float64Array.from(
    log.trimEnd().split("\n"),
    (line) => Number(line.slice(line.lastIndexOf("\t") + 1)) / 1_000,
  ).sort();
  const at = (share: number) => took[Math.floor(share * (took.length - 1))]!;
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}
