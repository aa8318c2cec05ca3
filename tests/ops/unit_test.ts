/** The unit for systemd starts what --print-command prints, well confined. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { parseCommandLine } from "../../src/launch/arguments.ts";
import { confinedCommand } from "../../src/launch/permissions.ts";
import { withRoot } from "../support/root.ts";

const UNIT = await Deno.readTextFile(
  new URL("../../docs/deploy/larder.service", import.meta.url),
);
/** As it is, and without the # before what is only for clients elsewhere. */
const UNITS = {
  "the unit for systemd": UNIT,
  "the unit for clients on other machines": UNIT.replaceAll(/^#(?=\w)/gm, ""),
};
/** Where docs/DEPLOY.md puts everything. */
const INSTALLED = {
  deno: "/opt/bin/deno",
  main: "/opt/larder/src/main.ts",
  denoConfig: "/opt/larder/deno.json",
  readable: ["/opt/larder/workers", "/opt/larder/proto"],
};
/** What `%d` stands for: where systemd copies the credentials of this unit to. */
const CREDENTIALS = "/run/credentials/larder.service";
/** `systemd-analyze security` counts in tenths: 2.0. */
const THRESHOLD = "20";

/** What it starts, and where its files have been copied to. */
function startedBy(unit: string): { words: string[]; credentials: string[] } {
  // An empty one takes back those before it.
  const command = unit.match(/^ExecStart=.+$/gm)!.at(-1)!;
  const ids = unit.matchAll(/^LoadCredential=([^:\n]+):\/etc\/larder\/\1$/gm);
  return {
    words: command.slice("ExecStart=".length)
      .replaceAll("%d/", `${CREDENTIALS}/`)
      .replaceAll("%%", "%").replaceAll("$$", "$").split(" "),
    credentials: ids.map(([, id]) => `${CREDENTIALS}/${id}`).toArray(),
  };
}

for (const [name, unit] of Object.entries(UNITS)) {
  Deno.test(`${name} starts what --print-command prints`, async () => {
    const { words, credentials } = startedBy(unit);
    const given = words.slice(words.indexOf("--boot-id=%b") + 1);
    const invocation = await parseCommandLine(["serve", ...given], Deno.cwd);
    assert.ok(invocation.kind === "launch");
    const { config } = invocation;
    const [env, ...printed] = confinedCommand(config, INSTALLED);
    const at = printed.indexOf("--confined") + 1;
    assert.deepEqual(words, [
      `/usr/bin/${env}`,
      ...printed.toSpliced(at, 0, "--boot-id=%b"),
    ]);
    const { tlsCert, tlsKey, clientCa, access } = config;
    const files = [tlsCert, tlsKey, clientCa, access];
    assert.deepEqual(files.filter((each) => each !== undefined), credentials);
  });

  Deno.test(`systemd rates ${name} well`, () => isRatedWell(unit));
}

Deno.test("the unit for clients on other machines has TLS and asks who calls", () => {
  const { credentials } = startedBy(
    UNITS["the unit for clients on other machines"],
  );
  const names = ["tls.crt", "tls.key", "access.toml"];
  assert.deepEqual(credentials, names.map((name) => `${CREDENTIALS}/${name}`));
  assert.deepEqual(startedBy(UNIT).credentials, []);
});

function isRatedWell(unit: string): Promise<void> {
  return withRoot(async (folder) => {
    const path = join(folder, "larder.service");
    await Deno.writeTextFile(path, unit);
    const args = [
      ...["security", "--offline=true", `--threshold=${THRESHOLD}`],
      ...["--no-pager", path],
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
}
