/** `deno task serve`, called from another folder than the clone. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { TextLineStream } from "../support/lines.ts";
import { withRoot } from "../support/root.ts";

const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));

Deno.test("deno task serve makes a relative root where the caller is", () =>
  withRoot(async (folder) => {
    const caller = await Deno.realPath(folder);
    const task = ["task", "--quiet", "--config", CONFIG, "serve", "./here"];
    const addresses = ["-l", "off", "-r", "127.0.0.1:0"];
    // A task that runs this test has said where that one was called.
    const child = new Deno.Command("env", {
      args: ["-u", "INIT_CWD", Deno.execPath(), ...task, ...addresses],
      cwd: caller,
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const lines = child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream());
    const said: string[] = [];
    for await (const line of lines) {
      said.push(line);
      if (line === "larder: ready") child.kill("SIGTERM");
    }
    await child.status;
    assert(said.includes(`larder: root ${caller}/here`), said.join("\n"));
    assert((await Deno.lstat(`${caller}/here/cache.sqlite`)).isFile);
  }));
