/**
 * The npm package with its server, as npm and pnpm install it. It takes a while,
 * and some hundred megabytes: `deno task npm --check` runs it, and CI.
 */

import assert from "node:assert/strict";
import { temporaryFolder } from "../../src/launch/testing/program.ts";
import { packedPackage } from "../client/npm_package.ts";
import { Installation, run } from "./installation.ts";

/** What installs packages otherwise than npm does. */
const PNPM = "pnpm@10.18.3";
const COMMAND = ["sh", "-c", "echo counted >> runs; echo 42"];

/** Installs a tarball below a folder; the path of `larder`. */
type Install = (tarball: string, folder: string) => Promise<string>;

async function project(folder: string): Promise<string> {
  const path = `${folder}/Projekt 1`;
  await Deno.mkdir(path);
  await Deno.writeTextFile(`${path}/package.json`, '{"private":true}');
  return path;
}

const INSTALLS: Readonly<Record<string, Install>> = {
  "globally by npm, without scripts": async (tarball, folder) => {
    await run([
      ...["npm", "install", "--global", "--ignore-scripts"],
      ...["--prefer-offline", "--prefix", `${folder}/global`, tarball],
    ]);
    return `${folder}/global/bin/larder`;
  },
  "in a project by npm, and by its next install": async (tarball, folder) => {
    const path = await project(folder);
    const npm = ["npm", "install", "--prefer-offline", "--prefix", path];
    await run([...npm, tarball]);
    await run(npm);
    return `${path}/node_modules/.bin/larder`;
  },
  "in a project by pnpm": async (tarball, folder) => {
    const path = await project(folder);
    await run([
      ...["npx", "--yes", "--prefer-offline", PNPM, "add", "--dir", path],
      ...["--store-dir", `${folder}/store`, tarball],
    ], { CI: "true" });
    return `${path}/node_modules/.bin/larder`;
  },
};

Deno.test("larder serves and runs commands as it was installed", async (test) => {
  await using folder = await temporaryFolder();
  if (!await isOnline()) {
    console.log("skipped: there is no network to install from");
    return;
  }
  const tarball = await packedPackage(folder.path);
  assert(tarball !== undefined, "npm is missing");
  for (const [how, install] of Object.entries(INSTALLS)) {
    await using place = await temporaryFolder();
    const program = await install(tarball, place.path);
    const larder = await Installation.of(program, place.path);
    await test.step(`${how}: a command runs once`, () => runsOnce(larder));
    await test.step(`${how}: it ends with its caller`, () => ends(larder));
  }
});

Deno.test("npx runs the larder of the project, by either name, and fetches none", async () => {
  await using folder = await temporaryFolder();
  if (!await isOnline()) {
    console.log("skipped: there is no network to install from");
    return;
  }
  const tarball = await packedPackage(folder.path);
  assert(tarball !== undefined, "npm is missing");
  const path = await project(folder.path);
  await run([
    ...["npm", "install", "--prefer-offline", "--omit=optional"],
    ...["--prefix", path, tarball],
  ]);
  // As one calls it somewhere in the project.
  await Deno.mkdir(`${path}/src`);
  const npx = (cwd: string, name: string) =>
    run(
      ["sh", "-c", `cd "$0" && exec npx --no-install ${name} --help`, cwd],
      {
        npm_config_registry: "http://127.0.0.1:1",
        npm_config_fetch_retries: "0",
      },
    );
  for (const name of ["larder", "@larder/larder"]) {
    assert.match(await npx(`${path}/src`, name), /larder COMMAND/);
  }
  await Deno.mkdir(`${folder.path}/elsewhere`);
  await assert.rejects(npx(`${folder.path}/elsewhere`, "larder"));
});

/** The server is confined; its clients are the same program. */
async function runsOnce(larder: Installation): Promise<void> {
  const addresses = ["-r", "127.0.0.1:0", "--http", "127.0.0.1:0"];
  const root = ["./my root", "-l", "off", ...addresses];
  await using server = await larder.serve(...root);
  const words = await server.confined();
  assert(
    words.includes("--allow-net=127.0.0.1:0,127.0.0.1:0"),
    `${words}`,
  );
  assert(words.includes("--ignore-env") && words.includes("--cached-only"));
  assert(!words.some((word) => /^(-A|--allow-(all|run|ffi))/.test(word)));

  const env = { LARDER_REMOTE: server.remote };
  const once = ["run", "--ns", "a.b", "--", ...COMMAND];
  const first = await larder.ok(once, env);
  assert.match(first.stderr, /^larder: computed a\.b .* stored$/m);
  const second = await larder.ok(once, env);
  assert.match(second.stderr, /^larder: hit a\.b /m);
  assert.deepEqual([first.stdout, second.stdout], ["42\n", "42\n"]);
  assert.equal(await Deno.readTextFile(`${larder.folder}/runs`), "counted\n");
  await larder.ok(["put", "--ns", "a", "key", "runs"], env);
  const got = await larder.ok(["get", "--ns", "a", "key"], env);
  assert.equal(got.stdout, "counted\n");
  assert.match((await larder.ok(["ls"], env)).stdout, /\bkey\b/);
  const doctor = await larder.ok(["doctor"], env);
  assert.match(doctor.stdout, /^ok +deno +2\.9\.6$/m);
  await hasPage(server.http);
  assert.equal((await server.end("SIGTERM")).code, 0);
}

/** The status page, its scripts and those of the library that it draws with. */
async function hasPage(address: string): Promise<void> {
  for (
    const [path, pattern] of [
      ["/", /<title>Larder<\/title>/],
      ["/page/page.js", /from "\.\/tables\.js"/],
      ["/page/uplot.js", /uPlot/],
      ["/metrics", /^larder_ready 1$/m],
    ] as const
  ) {
    const response = await fetch(`http://${address}${path}`);
    assert.match(await response.text(), pattern);
  }
}

/** Signals reach the server, and SIGKILL leaves nobody behind. */
async function ends(larder: Installation): Promise<void> {
  for (const signal of ["SIGHUP", "SIGINT"] as const) {
    const server = await larder.serve("r", "-r", "127.0.0.1:0");
    assert.equal((await server.end(signal)).code, 0);
  }
  const server = await larder.serve("r", "-r", "127.0.0.1:0");
  assert.equal((await server.end("SIGKILL")).signal, "SIGKILL");
  // The root is free: what a lock would refuse.
  await larder.ok(["recover", "r", "--force"]);
}

async function isOnline(): Promise<boolean> {
  try {
    await run(["npm", "ping", "--silent", "--fetch-retries=0"]);
    return true;
  } catch {
    return false;
  }
}
