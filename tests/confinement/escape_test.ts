/** Nothing that runs in the confined process gets out of it. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { currentBootId } from "../../src/launch/boot_id.ts";
import { CONFINED_ENVIRONMENT } from "../../src/launch/environment.ts";
import { ServerProcess } from "../support/server_process.ts";
import type { Report } from "./confined_probe.ts";
import type { Target } from "./escapes.ts";
import { makeWorld, printedCommand, run, type World } from "./support.ts";

const HERE = fileURLToPath(new URL("./", import.meta.url));

/** The printed command with the probe in the server's place. */
async function probe(target: Target): Promise<Report> {
  const ports = ["-l", "127.0.0.1:1026", "-r", "[::1]:1027"];
  const words = await printedCommand(target.root, ...ports);
  const main = words.indexOf("serve") - 1;
  assert.match(words[main]!, /\/src\/main\/confined\.ts$/);
  const args = words.slice(1, main);
  args.push(`${HERE}confined_probe.ts`, JSON.stringify(target));
  // What is in the environment must not be seen from inside.
  const env = { NO_COLOR: "1", LARDER_SECRET: "of the environment" };
  const { stdout, stderr, code } = await run(words[0]!, args, { env });
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout);
}

async function prepared(world: World): Promise<void> {
  await Deno.mkdir(world.root);
  await Deno.symlink(world.outside, `${world.root}/leak`);
  for (const file of ["escapes.ts", "worker_probe.ts"]) {
    await Deno.copyFile(HERE + file, `${world.root}/${file}`);
  }
}

Deno.test("neither the confined process nor its workers get out of the root", async (t) => {
  await using world = await makeWorld();
  await prepared(world);
  let visitors = 0;
  await using neighbour = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => {
      visitors++;
      return new Response("welcome");
    },
  );
  const report = await probe({
    root: world.root,
    outside: world.outside,
    foreignPort: neighbour.addr.port,
  });

  for (const place of ["main", "blobWorker", "manifestWorker"] as const) {
    await t.step(`every attempt in ${place} is refused`, () => {
      const { outcomes } = report[place];
      assert(Object.keys(outcomes).length > 60);
      const succeeded = Object.entries(outcomes)
        .filter(([, outcome]) => outcome !== "refused");
      assert.deepEqual(succeeded, []);
    });
  }
  await t.step("the environment is empty, and no error for who looks", () => {
    assert.equal(report.main.env, "{}");
    assert.equal(report.nodeEnv, "{}");
    assert.equal(report.blobWorker.env, "{}");
    assert.equal(report.manifestWorker.env, "{}");
  });
  await t.step("nothing outside has changed, nobody was visited", async () => {
    await world.assertUntouched();
    assert.equal(visitors, 0);
  });
  await t.step("Deno follows links: the store has to look for itself", () => {
    // Should this fail one day, rejoice, and say so in docs/SECURITY.md.
    assert.equal(report.throughLink, "outside of the root");
  });
});

Deno.test("the printed command is what the launcher runs", async () => {
  await using world = await makeWorld();
  // What a shell would take apart, or replace.
  const root = `${world.outside}/a root's $HOME "here"`;
  const flags = ["-l", "127.0.0.1:0", "-r", "[::1]:0"];
  flags.push("--workers=3", "--drain-timeout=9s", "--max-reply-bytes=64MiB");
  const printed = await printedCommand(root, ...flags);
  await using server = await ServerProcess.start(root, { args: flags });
  const path = `/proc/${await server.serverPid()}/cmdline`;
  const run = (await Deno.readTextFile(path)).split("\0").slice(0, -1);
  const supervised = run.indexOf("--supervised");
  assert.equal(run[supervised - 1], "--confined");
  // What only a launcher knows: printed, it would be wrong after the next boot.
  const only = run.splice(supervised, 2);
  assert.deepEqual(only, [
    "--supervised",
    `--boot-id=${await currentBootId()}`,
  ]);
  const environment =
    (await Deno.readTextFile(path.replace("cmdline", "environ")))
      .split("\0").filter((each) =>
        each.split("=")[0]! in CONFINED_ENVIRONMENT
      );
  const words = ["env", ...environment, ...run];
  assert.deepEqual(words.toSorted(), printed.toSorted());
});

Deno.test("the printed command serves a root that is reached through links", async () => {
  await using world = await makeWorld();
  await Deno.mkdir(`${world.root}/real`, { recursive: true });
  await Deno.symlink(`${world.root}/real`, `${world.root}/link`);
  const cache = Deno.env.get("DENO_DIR");
  for (const name of ["link", "link/new"]) {
    const root = `${world.root}/${name}`;
    const words = await printedCommand(root, "-r", "127.0.0.1:0");
    // As systemd starts it: another folder, next to nothing in the environment.
    const server = new Deno.Command(words[0]!, {
      args: words.slice(1),
      cwd: "/",
      clearEnv: true,
      env: {
        HOME: Deno.env.get("HOME") ?? "/",
        NO_COLOR: "1",
        // Where packages are kept, if somebody says so.
        ...cache !== undefined && { DENO_DIR: cache },
      },
      stdin: "null",
      stdout: "piped",
    }).spawn();
    let said = "";
    const lines = server.stdout.pipeThrough(new TextDecoderStream());
    for await (const piece of lines) {
      said += piece;
      if (said.includes("larder: ready\n")) server.kill("SIGTERM");
    }
    assert.equal((await server.status).code, 0);
    const real = root.replace("link", "real");
    assert(said.includes(`larder: root ${real}\n`), said);
  }
});
