/** The status page where only those may look who have a token. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { sha256Hex } from "../../workers/digest.ts";
import { Browser } from "../support/browser.ts";
import { withRoot } from "../support/root.ts";
import { ServerHere } from "../support/server_here.ts";
import { CacheClient } from "../v1/client.ts";

const PHONE = { width: 375, height: 800 };
/** Where pictures are to be written to, for whoever wants to look at them. */
const PICTURES = Deno.env.get("LARDER_PAGE_PICTURES");
const NEEDED = "this needs a token, and the call has none";
const REFUSED = "the token is not known, or has expired";

/** Who may look: nobody, or whoever has this token. */
const NOBODY = "[anyone.http]\n";
const TOKEN = "s3cr3t";
const WATCHER = `${NOBODY}
[[token]]
name = "watcher"
sha256 = "${sha256Hex(TOKEN)}"
watch = true
`;

Deno.test("the page asks for a token, keeps it to itself, and says when it is refused", async () => {
  await using browser = await Browser.start();
  if (!browser) return console.log("skipped: there is no chromium");
  await withRoot(async (folder) => {
    const rules = join(folder, "access.toml");
    await Deno.writeTextFile(rules, NOBODY);
    await using server = await ServerHere.start(join(folder, "root"), {
      args: ["--http", "127.0.0.1:0", "--access", rules],
    });
    const follow = async (text: string) => {
      await Deno.writeTextFile(rules, text);
      await server.reload();
    };
    using remote = new CacheClient(server.remote);
    await remote.put("sim.ring", "key", "value");
    const url = `http://${server.http}/`;
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
    /** How often the page has asked for what it shows. */
    const asked = () =>
      browser.value<number>(`performance.getEntriesByType("resource")
        .filter(({ name }) => name === "${url}live").length`);
    const isHidden = (id: string) =>
      browser.value<boolean>(
        `document.getElementById("${id}").offsetParent === null`,
      );

    await browser.open(url, { ...PHONE, isDark: true });
    await says(NEEDED);
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

    // What is no token was not sent.
    assert.equal(await asked(), 2);
    await follow(WATCHER);
    await type(` ${TOKEN} `);
    await browser.until(
      `document.getElementById("entries")?.dataset.value === "1"`,
    );
    assert.ok(await isHidden("token-form"));
    assert.equal(await browser.value("document.activeElement.id"), "main");
    // Nothing is kept but what the script itself remembers.
    const kept = await browser.value<unknown[]>(`[document.cookie,
      localStorage.length, sessionStorage.length, location.href,
      document.documentElement.outerHTML.includes("${TOKEN}"),
      document.getElementById("token").value]`);
    assert.deepEqual(kept, ["", 0, 0, url, false, ""]);

    await follow(NOBODY);
    await says(REFUSED);
    assert.ok(await isHidden("main"));

    await follow(WATCHER);
    await browser.open(url, PHONE);
    await says(NEEDED);
    const others = browser.errors.filter((each) => !/\b401\b/.test(each));
    assert.deepEqual(others, []);
  });
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
