/** The status page where only those may look who have a token. */

import assert from "node:assert/strict";
import { Browser } from "../support/browser.ts";
import { withSite } from "../v1/support.ts";

const PHONE = { width: 375, height: 800 };
/** Where pictures are to be written to, for whoever wants to look at them. */
const PICTURES = Deno.env.get("LARDER_PAGE_PICTURES");
const REFUSED = "the token is not known, or has expired";

/** A server that stands before another one, and asks who looks. */
class Guard implements AsyncDisposable {
  /** Who may look; nobody, for as long as it is empty. */
  token = "";
  /** What was sent, request by request. */
  readonly sent: (string | null)[] = [];
  readonly #behind: string;
  readonly #streams = new Set<AbortController>();
  readonly #server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => this.#answer(request),
  );

  constructor(behind: string) {
    this.#behind = behind;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/`;
  }

  /** Nobody may look any more. */
  takeBack(): void {
    this.token = "";
    for (const stream of this.#streams) stream.abort();
  }

  async #answer(request: Request): Promise<Response> {
    const path = request.url.slice(this.url.length);
    const stream = new AbortController();
    if (path === "live") {
      const authorization = request.headers.get("authorization");
      this.sent.push(authorization);
      if (authorization === null) {
        return new Response("give a token\n", { status: 401 });
      }
      if (!this.token || authorization !== `Bearer ${this.token}`) {
        return new Response(`${REFUSED}\n`, { status: 401 });
      }
      this.#streams.add(stream);
    }
    const { signal } = stream;
    const answer = await fetch(`http://${this.#behind}/${path}`, { signal });
    return new Response(answer.body && ReadableStream.from(untilEnd(answer)), {
      headers: answer.headers,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.takeBack();
    await this.#server.shutdown();
  }
}

/** A stream that is cut off has ended. */
async function* untilEnd({ body }: Response): AsyncGenerator<Uint8Array> {
  try {
    yield* body!;
  } catch (error) {
    if ((error as Error).name !== "AbortError") throw error;
  }
}

Deno.test("the page asks for a token, keeps it to itself, and says when it is refused", async () => {
  await using browser = await Browser.start();
  if (!browser) return console.log("skipped: there is no chromium");
  await withSite(async ({ server, remote }) => {
    await remote.put("sim.ring", "key", "value");
    await using guard = new Guard(server.http);
    const says = (words: string) =>
      browser.until(
        `document.getElementById("token-why")?.textContent === "${words}"`,
      );
    const type = async (text: string) => {
      await browser.call("Input.insertText", { text });
      const enter = { key: "Enter", code: "Enter", windowsVirtualKeyCode: 13 };
      const down = { type: "keyDown", text: "\r", ...enter };
      await browser.call("Input.dispatchKeyEvent", down);
      await browser.call("Input.dispatchKeyEvent", { type: "keyUp", ...enter });
    };
    const isHidden = (id: string) =>
      browser.value<boolean>(
        `document.getElementById("${id}").offsetParent === null`,
      );

    await browser.open(guard.url, { ...PHONE, isDark: true });
    await says("give a token");
    assert.ok(await isHidden("main") && await isHidden("nav"));
    assert.equal(await browser.value("document.activeElement.id"), "token");
    const width = await browser.value("document.documentElement.scrollWidth");
    assert.equal(width, PHONE.width);
    assert.deepEqual(await accessible(browser, "textbox"), ["Token"]);
    assert.deepEqual(await accessible(browser, "button"), ["Show"]);
    await keep(browser, "token");

    await type("wrong");
    await says(REFUSED);
    assert.equal(await browser.value("document.activeElement.id"), "token");
    await type("two words");
    await says(
      "This is no token: it has letters, digits and signs, and no blanks.",
    );

    guard.token = "s3cr3t";
    await type(" s3cr3t ");
    await browser.until(
      `document.getElementById("entries")?.dataset.value === "1"`,
    );
    assert.ok(await isHidden("token-form"));
    assert.equal(await browser.value("document.activeElement.id"), "main");
    // Nothing is kept but what the script itself remembers.
    const kept = await browser.value<unknown[]>(`[document.cookie,
      localStorage.length, sessionStorage.length, location.href,
      document.documentElement.outerHTML.includes("s3cr3t"),
      document.getElementById("token").value]`);
    assert.deepEqual(kept, ["", 0, 0, guard.url, false, ""]);

    guard.takeBack();
    await says(REFUSED);
    assert.ok(await isHidden("main"));

    guard.token = "s3cr3t";
    await browser.open(guard.url, PHONE);
    await says("give a token");
    const asked = new Set(guard.sent);
    const sent = [null, "Bearer wrong", "Bearer s3cr3t"];
    assert.deepEqual(asked, new Set(sent));
    const others = browser.errors.filter((each) => !/\b401\b/.test(each));
    assert.deepEqual(others, []);
  }, { args: ["--http", "127.0.0.1:0"] });
});

/** The names of what has a role, as they are read out. */
async function accessible(browser: Browser, wanted: string): Promise<string[]> {
  const { nodes } = await browser.call("Accessibility.getFullAXTree") as {
    nodes: {
      ignored: boolean;
      role?: { value: string };
      name?: { value: string };
    }[];
  };
  return nodes.filter(({ ignored, role }) => !ignored && role?.value === wanted)
    .map(({ name }) => name?.value ?? "");
}

async function keep(browser: Browser, name: string): Promise<void> {
  if (!PICTURES) return;
  const picture = await browser.picture({ isWhole: true });
  await Deno.writeFile(`${PICTURES}/${name}.png`, picture);
}
