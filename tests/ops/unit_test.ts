/** The unit for systemd starts what --print-command prints, well confined. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { parseCommandLine } from "../../src/launch/arguments.ts";
import { confinedCommand } from "../../src/launch/permissions.ts";

const UNIT = new URL("../../docs/deploy/larder.service", import.meta.url);
/** Where docs/DEPLOY.md puts everything. */
const INSTALLED = {
  deno: "/opt/bin/deno",
  main: "/opt/larder/src/main.ts",
  denoConfig: "/opt/larder/deno.json",
  readable: ["/opt/larder/workers", "/opt/larder/proto"],
};
/** `systemd-analyze security` counts in tenths: 2.0. */
const THRESHOLD = "20";

Deno.test("the unit for systemd starts what --print-command prints", async () => {
  const unit = await Deno.readTextFile(UNIT);
  const [, command = ""] = /^ExecStart=(.*)$/m.exec(unit) ?? [];
  const words = command.replaceAll("%%", "%").replaceAll("$$", "$").split(" ");
  const given = words.slice(words.indexOf("--boot-id=%b") + 1);
  const invocation = await parseCommandLine(["serve", ...given], Deno.cwd);
  assert.ok(invocation.kind === "launch");
  const [env, ...printed] = confinedCommand(invocation.config, INSTALLED);
  const at = printed.indexOf("--confined") + 1;
  assert.deepEqual(words, [
    `/usr/bin/${env}`,
    ...printed.toSpliced(at, 0, "--boot-id=%b"),
  ]);
});

Deno.test("systemd rates the unit well", async () => {
  const args = [
    ...["security", "--offline=true", `--threshold=${THRESHOLD}`, "--no-pager"],
    fileURLToPath(UNIT),
  ];
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command("systemd-analyze", { args }).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.log("skip: there is no systemd-analyze (Debian: systemd)");
    return;
  }
  const { success, stdout, stderr } = output;
  const said = new TextDecoder();
  if (/unrecognized option/.test(said.decode(stderr))) {
    console.log("skip: this systemd-analyze cannot look at files");
    return;
  }
  assert.ok(success, said.decode(stdout).slice(-200) + said.decode(stderr));
});
