/**
 * A headless Chromium, by its DevTools protocol: no package is needed for what
 * the test of a page asks of it.
 *
 * @module
 */

const NAMES = ["chromium", "chromium-browser", "google-chrome"];
/** A browser that has not started by then will not; loaded machines are slow. */
const START_LIMIT_MS = 60_000;
/** How often a page is looked at. */
const LOOK_MS = 100;
/** What becomes of a page in that time on a loaded machine, too. */
const PATIENCE_MS = 30_000;

type Result = Record<string, unknown>;

/** A browser with one page. */
export class Browser implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #folder: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, PromiseWithResolvers<Result>>();
  /** What the page said on its console that is an error, or was refused. */
  readonly errors: string[] = [];
  #session: string | undefined;
  #id = 0;

  private constructor(
    child: Deno.ChildProcess,
    folder: string,
    socket: WebSocket,
  ) {
    this.#child = child;
    this.#folder = folder;
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#take(data));
  }

  /** Starts one; `undefined`: this machine has none. */
  static async start(): Promise<Browser | undefined> {
    const folder = await Deno.makeTempDir({ prefix: "larder-browser-" });
    const child = spawned(folder);
    if (!child) {
      await Deno.remove(folder, { recursive: true });
      return undefined;
    }
    const address = await addressOf(child);
    const socket = new WebSocket(address);
    await new Promise((opened, failed) => {
      socket.onopen = opened;
      socket.onerror = failed;
    });
    const browser = new Browser(child, folder, socket);
    await browser.#openPage();
    return browser;
  }

  async #openPage(): Promise<void> {
    const { targetId } = await this.call("Target.createTarget", {
      url: "about:blank",
    });
    const { sessionId } = await this.call("Target.attachToTarget", {
      targetId,
      flatten: true,
    });
    this.#session = sessionId as string;
    for (const domain of ["Page", "Runtime", "Log", "Accessibility"]) {
      await this.call(`${domain}.enable`);
    }
  }

  /** Calls a method of the protocol, of the page once there is one. */
  call(method: string, params: object = {}): Promise<Result> {
    const id = ++this.#id;
    const waiting = Promise.withResolvers<Result>();
    this.#waiting.set(id, waiting);
    const sessionId = this.#session;
    this.#socket.send(
      JSON.stringify({ id, method, params, ...sessionId && { sessionId } }),
    );
    return waiting.promise;
  }

  /** Opens an address, on a screen of that size. */
  async open(
    url: string,
    { width, height, isDark = false }: {
      readonly width: number;
      readonly height: number;
      readonly isDark?: boolean;
    },
  ): Promise<void> {
    const size = { width, height, deviceScaleFactor: 1, mobile: width < 600 };
    await this.call("Emulation.setDeviceMetricsOverride", size);
    const value = isDark ? "dark" : "light";
    const features = [{ name: "prefers-color-scheme", value }];
    await this.call("Emulation.setEmulatedMedia", { features });
    await this.call("Page.navigate", { url });
  }

  /** The value of an expression in the page. */
  async value<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.call("Runtime.evaluate", {
      expression,
      returnByValue: true,
      awaitPromise: true,
    }) as { result: { value: T }; exceptionDetails?: { text: string } };
    if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
    return result.value;
  }

  /** Waits until an expression is true in the page. */
  async until(expression: string): Promise<void> {
    const endMs = performance.now() + PATIENCE_MS;
    while (!await this.value<boolean>(`Boolean(${expression})`)) {
      if (performance.now() > endMs) throw new Error(`never: ${expression}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  /** A picture of what is on the screen, or of the whole page, as PNG. */
  async picture({ isWhole = false } = {}): Promise<Uint8Array> {
    const { data } = await this.call("Page.captureScreenshot", {
      format: "png",
      captureBeyondViewport: isWhole,
    });
    return Uint8Array.fromBase64(data as string);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    this.#child.kill("SIGKILL");
    await this.#child.status;
    await this.#child.stderr.cancel().catch(() => {});
    await Deno.remove(this.#folder, { recursive: true }).catch(() => {});
  }

  #take(text: string): void {
    const { id, result, error, method, params } = JSON.parse(text);
    if (method === "Log.entryAdded" && params.entry.level === "error") {
      this.errors.push(`${params.entry.text} ${params.entry.url ?? ""}`);
    } else if (method === "Runtime.exceptionThrown") {
      this.errors.push(JSON.stringify(params.exceptionDetails));
    }
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) waiting?.reject(new Error(error.message));
    else waiting?.resolve(result);
  }
}

function spawned(folder: string): Deno.ChildProcess | undefined {
  for (const name of NAMES) {
    try {
      return new Deno.Command(name, {
        args: [
          ...["--headless=new", "--remote-debugging-port=0", "--no-sandbox"],
          ...["--disable-gpu", "--no-first-run", "--disable-dev-shm-usage"],
          ...["--disable-background-networking", "--hide-scrollbars"],
          ...[`--user-data-dir=${folder}`, "about:blank"],
        ],
        stdin: "null",
        stdout: "null",
        stderr: "piped",
      }).spawn();
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return undefined;
}

/** It says where it listens. */
async function addressOf(child: Deno.ChildProcess): Promise<string> {
  const timer = setTimeout(() => child.kill("SIGKILL"), START_LIMIT_MS);
  let text = "";
  const reader = child.stderr.getReader();
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      text += decoder.decode(value, { stream: true });
      const [address] = /ws:\/\/\S+/.exec(text) ?? [];
      if (address) return address;
      if (done) throw new Error(`chromium did not start: ${text}`);
    }
  } finally {
    clearTimeout(timer);
    reader.releaseLock();
  }
}
