/**
 * The client library on each runtime that it is for.
 *
 * @module
 */

import { basename } from "node:path";
import { type NpmProject, npmProject } from "./npm_package.ts";
import { denoCommand } from "./support.ts";

const MODULE = new URL("../../src/client/mod.ts", import.meta.url).href;

/** The command that runs a program with words after the module. */
export type Command = (...words: string[]) => string[];

/** Registers a test for Deno, and for Node with the npm package. */
export function testOnEach(
  name: string,
  program: URL,
  run: (command: Command, context: Deno.TestContext) => Promise<void>,
): void {
  Deno.test(`${name} (Deno)`, (context) =>
    run((...words) => denoCommand(program, MODULE, ...words), context));

  Deno.test(`${name} (Node)`, async (context) => {
    const project = await (installed ??= install());
    if (project.skip !== undefined) {
      console.log(`skipped ${name} on Node: ${project.skip}`);
      return;
    }
    const file = `${project.folder}/${basename(program.pathname)}`;
    await Deno.copyFile(program, file);
    const command: Command = (
      ...words
    ) => ["node", file, "@larder/larder", ...words];
    await run(command, context);
  });
}

/** With the package, which takes 10 s to make: once for all tests of a file. */
let installed: Promise<NpmProject> | undefined;

async function install(): Promise<NpmProject> {
  const folder = await Deno.makeTempDir({ prefix: "larder-" });
  globalThis.addEventListener("unload", () => {
    Deno.removeSync(folder, { recursive: true });
  });
  return await npmProject(folder);
}
