/**
 * Prometheus itself, on a server of ours.
 *
 * @module
 */

const LOOK_MS = 200;
/** A loaded machine is slow. */
const START_LIMIT_MS = 60_000;

/** A series, and what it is now. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

/** It looks at the server every second. */
export class Prometheus implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #folder: string;
  readonly #url: string;

  private constructor(child: Deno.ChildProcess, folder: string, url: string) {
    this.#child = child;
    this.#folder = folder;
    this.#url = url;
  }

  /** Starts one; `undefined`: this machine has none. */
  static async start(target: string): Promise<Prometheus | undefined> {
    const folder = await Deno.makeTempDir({ prefix: "larder-prometheus-" });
    const address = freeAddress();
    // JSON is YAML.
    await Deno.writeTextFile(
      `${folder}/config.yml`,
      JSON.stringify({
        global: { scrape_interval: "1s" },
        scrape_configs: [{
          job_name: "larder",
          static_configs: [{ targets: [target] }],
        }],
      }),
    );
    try {
      const child = new Deno.Command("prometheus", {
        args: [
          `--config.file=${folder}/config.yml`,
          `--storage.tsdb.path=${folder}/data`,
          `--web.listen-address=${address}`,
          "--log.level=error",
        ],
        stdin: "null",
        stdout: "null",
        stderr: "inherit",
      }).spawn();
      await using stack = new AsyncDisposableStack();
      const url = `http://${address}`;
      const prometheus = stack.use(new Prometheus(child, folder, url));
      await prometheus.#isReady();
      stack.move();
      return prometheus;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      await Deno.remove(folder, { recursive: true });
      return undefined;
    }
  }

  /** What an expression is now. */
  async ask(expr: string): Promise<readonly Sample[]> {
    const url = `${this.#url}/api/v1/query?${new URLSearchParams({
      query: expr,
    })}`;
    const { status, error, data } = await (await fetch(url)).json();
    if (status !== "success") throw new Error(`${expr}: ${error}`);
    return data.result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#child.status;
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #isReady(): Promise<void> {
    const endMs = performance.now() + START_LIMIT_MS;
    for (;;) {
      try {
        const { ok, body } = await fetch(`${this.#url}/-/ready`);
        await body?.cancel();
        if (ok) return;
      } catch {
        // It does not listen yet.
      }
      if (performance.now() > endMs) throw new Error("Prometheus is not ready");
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }
}

function freeAddress(): string {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return `127.0.0.1:${listener.addr.port}`;
}
