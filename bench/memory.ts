/**
 * The memory of a process and its descendants, from `/proc`. Deno lets only
 * `--allow-all` read there.
 *
 * @module
 */

const MIB_IN_KIB = 1_024;

/** In MiB. */
export interface Memory {
  /** The peak of the largest process: the server itself. */
  readonly serverPeakMib: number;
  /** The peaks of all processes: what they share counts once for each. */
  readonly treePeakMib: number;
  /** What all processes take now; what they share counts once. */
  readonly treeNowMib: number;
}

/** Reads it for the tree below a process. */
export function memoryOf(pid: number): Memory {
  const tree = descendants(pid);
  const peaks = tree.map((each) => field(`/proc/${each}/status`, "VmHWM"));
  const now = tree.map((each) => field(`/proc/${each}/smaps_rollup`, "Pss"));
  return {
    serverPeakMib: Math.max(...peaks) / MIB_IN_KIB,
    treePeakMib: sum(peaks) / MIB_IN_KIB,
    treeNowMib: sum(now) / MIB_IN_KIB,
  };
}

/** A process, and those that it has started, and so on. */
export function descendants(pid: number): number[] {
  const children = [...Deno.readDirSync(`/proc/${pid}/task`)].flatMap((
    { name },
  ) => Deno.readTextFileSync(`/proc/${pid}/task/${name}/children`).split(" "));
  return [
    pid,
    ...children.filter((text) => text !== "").flatMap((text) =>
      descendants(+text)
    ),
  ];
}

/** A figure such as `VmHWM:   1234 kB`. */
function field(file: string, name: string): number {
  const text = Deno.readTextFileSync(file);
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)?.[1]);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
