/** The examples in docs/examples, and the program of the npm package. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { installedPackage, larderOnNode } from "../client/installed_package.ts";
import { Child, denoCommand } from "../client/support.ts";
import { larderCommand, withShell } from "./support.ts";

const EXAMPLES = new URL("../../docs/examples/", import.meta.url);
const SUM = "24 points, 3 processes: 24 computed, 48 found";
const FOUND = "24 points, 3 processes: 0 computed, 72 found";

Deno.test("the sweep computes each point once, on Deno and on Node", () =>
  withShell(async ({ folder, server }) => {
    // A clone lies anywhere.
    const clone = `${folder}/Größe 1 µm`;
    await Deno.symlink(fileURLToPath(new URL("../..", import.meta.url)), clone);
    const onDeno = denoCommand(new URL("sweep/deno.ts", EXAMPLES)).slice(0, -1)
      .concat(`${clone}/docs/examples/sweep/deno.ts`);
    await using first = new Child([...onDeno, server.remote, "3"]);
    const { lines, code } = await first.end();
    assert.deepEqual([code, lines.at(-1)], [0, SUM]);
    const points = lines.filter((line) => line.includes(" computed "))
      .map((line) => line.split(" ")[2]);
    assert.equal(new Set(points).size, 24);

    const project = await installedPackage(folder);
    if (project.skip !== undefined) {
      console.log(`skipped the sweep on Node: ${project.skip}`);
      return;
    }
    for (const name of ["sweep.mjs", "node.mjs"]) {
      const from = new URL(`sweep/${name}`, EXAMPLES);
      await Deno.copyFile(from, `${project.folder}/${name}`);
    }
    const node = ["node", `${project.folder}/node.mjs`, server.remote, "3"];
    await using second = new Child(node);
    assert.equal((await second.end()).lines.at(-1), FOUND);
  }));

Deno.test("the Makefile has its reports again after make clean", () =>
  withShell(async (shell) => {
    if (!await hasMake()) {
      console.log("skipped the Makefile: make is missing");
      return;
    }
    const from = fileURLToPath(new URL("make", EXAMPLES));
    for (const { name } of Deno.readDirSync(from)) {
      await Deno.copyFile(`${from}/${name}`, `${shell.folder}/${name}`);
    }
    const make = async (...args: string[]) => {
      const { code, stdout, stderr } = await new Deno.Command("make", {
        args: [...args, `larder=${larderCommand().join(" ")}`],
        cwd: shell.folder,
        env: shell.env,
      }).output();
      const text = new TextDecoder();
      assert.equal(code, 0, text.decode(stderr));
      return { stdout: text.decode(stdout), stderr: text.decode(stderr) };
    };
    const first = await make();
    assert.match(first.stdout, /^simulating ring\.net$/m);
    assert.equal(first.stderr.match(/larder: computed /g)?.length, 2);
    // make exports what its command line sets, and LARDER is a switch.
    assert.doesNotMatch(first.stderr, /neither on nor off/);
    assert.match((await make()).stdout, /Nothing to be done/);
    await make("clean");
    const second = await make();
    assert.equal(second.stderr.match(/larder: hit /g)?.length, 2);
    assert.equal((await shell.read("mux.report")).trim(), "4");
    await shell.write("ring.net", "inv a a\n");
    const third = await make();
    assert.equal(third.stderr.match(/larder: computed /g)?.length, 1);
    assert.equal((await shell.read("ring.report")).trim(), "1");
  }));

Deno.test("the larder of the npm package runs on Node", () =>
  withShell(async (shell) => {
    const program = await larderOnNode(shell.folder);
    if (!program) return;
    const run = (...args: string[]) => shell.run(args, { program });
    assert.match((await run("--version")).stdout, /^larder \d+\.\d+\.\d+\n$/);
    // Deno was left out, as it can be where nothing is served.
    const serve = await run("serve");
    assert.equal(serve.code, 1);
    assert.match(
      serve.stderr,
      /^larder: the server runs on Deno 2\.9\.6, .*: npm install deno@2\.9\.6\n$/,
    );
    assert.match((await run("help")).stdout, /larder serve/);
    assert.match((await run("help", "run")).stdout, /^larder run: /);
    const args = ["run", "--ns", "sim", "--key-file", "package.json"];
    const command = [
      "--out",
      "o",
      "--",
      "sh",
      "-c",
      "echo said; echo file > o",
    ];
    await shell.write("package.json", "{}");
    // What one runtime keeps, the other one finds.
    await shell.ok(...args, ...command);
    await Deno.remove(`${shell.folder}/o`);
    const hit = await run(...args, ...command);
    assert.deepEqual([hit.code, hit.stdout], [0, "said\n"]);
    assert.match(hit.stderr, /larder: hit /);
    assert.equal(await shell.read("o"), "file\n");
    const computed = await run(...args, "--key", "n", ...command);
    assert.match(computed.stderr, /larder: computed .* stored/);
    const value = new Uint8Array(500_000).map((_, at) => at % 251);
    const put = ["put", "--ns", "sim", "k"];
    assert.equal((await shell.run(put, { program, stdin: value })).code, 0);
    assert.deepEqual((await run("get", "--ns", "sim", "k")).bytes, value);
    assert.equal((await run("get", "--ns", "sim", "other")).code, 1);
    assert.equal((await run("verify", "-q")).code, 0);
    assert.equal((await run("doctor")).code, 0);
  }));

async function hasMake(): Promise<boolean> {
  try {
    const { success } = await new Deno.Command("make", { args: ["--version"] })
      .output();
    return success;
  } catch {
    return false;
  }
}
