/** larder top: live on a terminal of any size, and lines elsewhere. */

import assert from "node:assert/strict";
import { CacheClient } from "../v1/client.ts";
import { ServerProcess } from "../support/server_process.ts";
import { outputOf } from "../client/npm_package.ts";
import { within } from "../support/waiting.ts";
import { larderCommand, type Shell, withShell } from "./support.ts";
import { withShellAndProcess } from "./support.ts";

const ESCAPE = "\x1b";
const FAST = ["--interval", "250ms"];

Deno.test("top --json is one picture a line, and ends when it was told to", () =>
  withShell(async (shell) => {
    using client = new CacheClient(shell.server.remote);
    await client.assigned("sim", "run 1");
    const text = await shell.ok("top", "--json", ...FAST, "--count", "2");
    const pictures = text.trimEnd().split("\n").map((line) => JSON.parse(line));
    assert.equal(pictures.length, 2);
    const [{ phase, status, fills, namespace_count: namespaces }] = pictures;
    assert.equal(phase, "ready");
    assert.equal(namespaces, 0);
    assert.equal(status.loading, 1);
    assert.equal(status.under_way[0].key, "run 1");
    assert.equal(typeof status.under_way[0].quiet_ms, "number");
    assert.equal(typeof fills[0].is_bytes, "boolean");
    assert.ok(pictures[1].status.up_ms > status.up_ms);
  }));

Deno.test("top without a terminal prints one screen after the other", () =>
  withShell(async (shell) => {
    const text = await shell.ok("top", ...FAST, "--count", "2");
    assert.ok(!text.includes(ESCAPE));
    assert.equal(text.match(/^server +larder /gm)?.length, 2);
    const child = shell.start(["top", ...FAST]);
    await beginning(child, /^trouble +none$/m);
    child.kill("SIGINT");
    const { code, stderr } = await child.status.then(async ({ code }) => ({
      code,
      stderr: await new Response(child.stderr).text(),
    }));
    assert.deepEqual([code, stderr], [0, ""]);
  }));

Deno.test("top says what is wrong with its words, or that nobody answers", () =>
  withShell(async (shell) => {
    const failing = async (...args: string[]) => {
      const { code, stderr, stdout } = await shell.run(["top", ...args]);
      assert.equal(stdout, "");
      return [code, stderr];
    };
    const [wrong, why] = await failing("--interval", "1ms");
    assert.equal(wrong, 2);
    assert.match(`${why}`, /--interval 1ms: write 250ms to 1m/);
    assert.equal((await failing("--count", "0"))[0], 2);
    const [away, where] = await failing("--remote", "127.0.0.1:1");
    assert.equal(away, 3);
    assert.match(`${where}`, /127\.0\.0\.1:1: connect .*start it/);
  }));

Deno.test("top on a terminal is drawn anew, waits for a server that is away, and Ctrl-C gives the screen back", () =>
  withShellAndProcess(async (shell) => {
    if (await outputOf("script", ["--version"]) === undefined) {
      return console.log("skipped: there is no script(1)");
    }
    const { server } = shell;
    await using terminal = onTerminal(shell, { columns: 40, rows: 12 });
    await terminal.shows(/trouble +none/);
    await server.kill();
    await terminal.shows(/no answer for /);
    const args = ["-l", "off", "-r", server.remote];
    await using _again = await ServerProcess.start(server.root, { args });
    await terminal.shows(/trouble +none/);
    // And once more: the first piece of a screen may be all that was looked at.
    await terminal.shows(/trouble +none/);
    await terminal.type("\x03");
    assert.equal(await terminal.code(), 0);
    const { text } = terminal;
    assert.ok(text.startsWith(`${ESCAPE}[?1049h`), JSON.stringify(text));
    assert.ok(text.endsWith(`${ESCAPE}[?1049l`), JSON.stringify(text));
    const screens = text.split(`${ESCAPE}[H`).slice(1)
      .map((screen) => screen.split(`${ESCAPE}[J`)[0]!.split("\r\n"));
    assert.ok(screens.length >= 3);
    for (const lines of screens) {
      assert.ok(lines.length <= 12, lines.join("\n"));
      for (const line of lines) {
        assert.ok(line.replaceAll(`${ESCAPE}[K`, "").length <= 40, line);
      }
    }
  }));

/** Reads stdout until it looks like that, and on. */
async function beginning(
  child: Deno.ChildProcess,
  pattern: RegExp,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let text = "";
  void child.stdout.pipeThrough(new TextDecoderStream()).pipeTo(
    new WritableStream({
      write(piece) {
        text += piece;
        if (pattern.test(text)) resolve();
      },
    }),
  ).catch(() => {});
  await within(promise, `${pattern} on stdout`);
}

/** `larder top` on a terminal of that size. */
function onTerminal(
  shell: Shell<ServerProcess>,
  { columns, rows }: { readonly columns: number; readonly rows: number },
) {
  const words = larderCommand("top", ...FAST).map((word) => `'${word}'`);
  const line = `stty cols ${columns} rows ${rows}; exec ${words.join(" ")}`;
  const child = new Deno.Command("script", {
    args: ["-qec", line, "/dev/null"],
    cwd: shell.folder,
    env: shell.env,
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  let text = "";
  let from = 0;
  let look = () => {};
  const read = child.stdout.pipeThrough(new TextDecoderStream()).pipeTo(
    new WritableStream({
      write(piece) {
        text += piece;
        look();
      },
    }),
  );
  return {
    get text() {
      return text;
    },
    /** Waits until something is shown that was not shown before. */
    async shows(pattern: RegExp) {
      const { promise, resolve } = Promise.withResolvers<void>();
      look = () => {
        if (pattern.test(text.slice(from))) resolve();
      };
      look();
      await within(promise, `${pattern} on the terminal`);
      from = text.length;
    },
    async type(keys: string) {
      await writer.write(new TextEncoder().encode(keys));
    },
    async code() {
      const { code } = await within(child.status, "the end of top");
      await read;
      return code;
    },
    async [Symbol.asyncDispose]() {
      try {
        child.kill();
      } catch {
        // It has ended.
      }
      await writer.close().catch(() => {});
      await child.status;
    },
  };
}
