/** The unit for systemd starts what --print-command prints, well confined. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { parseCommandLine } from "../../src/launch/arguments.ts";
import { confinedCommand } from "../../src/launch/permissions.ts";
import { withRoot } from "../support/root.ts";

const FOLDER = new URL("../../docs/deploy/", import.meta.url);
const [UNIT, DROP_IN, SOCKET, LOCAL_SOCKET] = await Promise.all([
  "larder.service",
  "larder.service.d/sockets.conf",
  "larder.socket",
  "larder-local.socket",
].map((name) => Deno.readTextFile(new URL(name, FOLDER))));
/** As it is, without the # before what is only for clients elsewhere, with sockets. */
const UNITS = {
  "the unit for systemd": UNIT!,
  "the unit for clients on other machines": UNIT!.replaceAll(/^#(?=\w)/gm, ""),
  "the unit with sockets of systemd": `${UNIT}\n${DROP_IN}`,
};
/** Where docs/DEPLOY.md puts everything. */
const INSTALLED = {
  deno: "/opt/bin/deno",
  main: "/opt/larder/src/main/confined.ts",
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
    const asked = ["serve", ...given, "--print-command"];
    const invocation = await parseCommandLine(asked, Deno.cwd);
    assert.ok(invocation.kind === "print-command");
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
  assert.deepEqual(startedBy(UNIT!).credentials, []);
});

Deno.test("the units of sockets have the names that the server is started with", () => {
  const [, ...args] = /serve --confined .* (-l .*)$/m.exec(DROP_IN!)!;
  assert.match(args[0]!, /^-l fd:local -r fd:remote /);
  for (const [unit, name] of [[SOCKET, "remote"], [LOCAL_SOCKET, "local"]]) {
    assert.match(unit!, new RegExp(`^FileDescriptorName=${name}$`, "m"));
    assert.equal(unit!.match(/^ListenStream=/gm)!.length, 1);
    // The server itself accepts.
    assert.doesNotMatch(unit!, /^Accept=/m);
  }
  assert.match(DROP_IN!, /^Sockets=larder\.socket larder-local\.socket$/m);
  assert.match(LOCAL_SOCKET!, /^SocketMode=0600$/m);
  assert.match(LOCAL_SOCKET!, /^Service=larder\.service$/m);
});

Deno.test("systemd takes the units, with sockets and without", () =>
  withRoot(async (folder) => {
    const write = (name: string, text: string) =>
      Deno.writeTextFile(join(folder, name), text);
    await write("larder.service", UNIT!);
    await verify(folder, "larder.service");
    await Deno.mkdir(join(folder, "larder.service.d"));
    await write("larder.service.d/sockets.conf", DROP_IN!);
    await write("larder.socket", SOCKET!);
    await write("larder-local.socket", LOCAL_SOCKET!);
    await verify(
      folder,
      ...["larder.service", "larder.socket", "larder-local.socket"],
    );
  }));

async function verify(folder: string, ...names: string[]): Promise<void> {
  const paths = names.map((name) => join(folder, name));
  const output = await analyze(["verify", "--man=no", ...paths]);
  if (output === undefined) return;
  // A line that it does not know is only told.
  assert.equal(output.said, "");
  assert.ok(output.success);
}

/** What `systemd-analyze` says; `undefined`: there is none that can. */
async function analyze(
  args: readonly string[],
): Promise<{ readonly success: boolean; readonly said: string } | undefined> {
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command("systemd-analyze", { args: [...args] })
      .output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.log("skip: there is no systemd-analyze (Debian: systemd)");
    return undefined;
  }
  const { success, stdout, stderr } = output;
  const [said, errors] = [stdout, stderr].map((bytes) =>
    new TextDecoder().decode(bytes)
  );
  if (/unrecognized option/.test(errors!)) {
    console.log("skip: this systemd-analyze cannot look at files");
    return undefined;
  }
  return { success, said: said!.slice(-200) + errors };
}

function isRatedWell(unit: string): Promise<void> {
  return withRoot(async (folder) => {
    const path = join(folder, "larder.service");
    await Deno.writeTextFile(path, unit);
    const output = await analyze([
      ...["security", "--offline=true", `--threshold=${THRESHOLD}`],
      ...["--no-pager", path],
    ]);
    if (output !== undefined) assert.ok(output.success, output.said);
  });
}
