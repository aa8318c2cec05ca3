/**
 * Watches the memory of the launcher and of the server below it.
 *
 * @module
 */

const SAMPLE_MS = 20;

/** What the tree of processes took since the last lap. */
export interface MemoryLap {
  /** The largest sum of resident memory that was seen. */
  readonly peakBytes: number;
  /** The sum at the end. */
  readonly nowBytes: number;
  /** Which process serves; 0: none. */
  readonly serverPid: number;
}

/** Samples /proc, which takes all permissions. */
export class MemoryWatch implements Disposable {
  readonly #launcherPid: number;
  readonly #timer: ReturnType<typeof setInterval>;
  #peakBytes = 0;

  /** Watches the launcher's process and its children. */
  constructor(launcherPid: number) {
    this.#launcherPid = launcherPid;
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
  }

  /** What was seen since the last lap. */
  lap(): MemoryLap {
    const nowBytes = this.#sample();
    const peakBytes = this.#peakBytes;
    this.#peakBytes = 0;
    return { peakBytes, nowBytes, serverPid: this.#children()[0] ?? 0 };
  }

  #sample(): number {
    const pids = [this.#launcherPid, ...this.#children()];
    const sumBytes = pids.reduce((sum, pid) => sum + residentBytes(pid), 0);
    this.#peakBytes = Math.max(this.#peakBytes, sumBytes);
    return sumBytes;
  }

  #children(): number[] {
    const pid = this.#launcherPid;
    const text = read(`/proc/${pid}/task/${pid}/children`).trim();
    return text === "" ? [] : text.split(/\s+/).map(Number);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

function residentBytes(pid: number): number {
  const [, kib] = read(`/proc/${pid}/status`).match(/VmRSS:\s*(\d+) kB/) ?? [];
  return Number(kib ?? 0) * 1024;
}

function read(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    // A process that has just gone.
    return "";
  }
}
