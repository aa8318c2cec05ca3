/**
 * A random schedule of faults of the network, for two minutes:
 *
 * ```sh
 * deno task net [--seed S] [--seconds N] [--on deno|node] [--tls]
 * ```
 *
 * Without `--on`, half of the workers run on each; with `--tls` they speak TLS,
 * and show a token.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { temporaryFolder } from "../../src/launch/testing/program.ts";
import { installedPackage } from "../client/installed_package.ts";
import { denoCommand } from "../client/support.ts";
import { runNet } from "./run.ts";
import { secured } from "./secured.ts";

const WORKER = new URL("./worker.mjs", import.meta.url);
const MODULE = new URL("../../src/client/mod.ts", import.meta.url).href;

const { values } = parseArgs({
  args: Deno.args,
  options: {
    seed: { type: "string" },
    seconds: { type: "string" },
    on: { type: "string" },
    tls: { type: "boolean", default: false },
  },
});
const seed = Number(
  values.seed ?? crypto.getRandomValues(new Uint16Array(1))[0],
);
const seconds = Number(values.seconds ?? 120);

await using folder = await temporaryFolder();
const project = await installedPackage(folder.path);
const onDeno = denoCommand(WORKER, MODULE);
let onNode = onDeno;
if (project.skip !== undefined) {
  console.log(`without workers on Node: ${project.skip}`);
} else {
  const program = `${project.folder}/worker.mjs`;
  await Deno.copyFile(WORKER, program);
  onNode = ["node", program, "@larder/larder"];
}
console.log(`seed ${seed}, ${seconds} s${values.tls ? ", over TLS" : ""}`);
const result = await runNet({
  seed,
  seconds,
  secured: values.tls ? await secured(folder.path) : undefined,
  workers: values.on === "deno"
    ? Array(4).fill(onDeno)
    : values.on === "node"
    ? Array(4).fill(onNode)
    : [onDeno, onNode, onDeno, onNode],
});
const { calls, computations, faults, wrongs } = result;
console.log(
  `${calls} calls, ${computations} computations, ${faults.length} faults`,
);
for (const wrong of wrongs) console.error(wrong);
if (wrongs.length > 0 || calls === 0) {
  const how = `--seed ${seed} --seconds ${seconds}${
    values.tls ? " --tls" : ""
  }`;
  console.error(`again: deno task net ${how}`);
  Deno.exitCode = 1;
}
