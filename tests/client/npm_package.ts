/**
 * The npm package, built and installed into a project of its own.
 *
 * @module
 */

import { buildNpmPackage } from "../../tools/npm/build.ts";

/** A folder in which `@larder/larder` is installed, or why there is none. */
export type NpmProject =
  | { readonly folder: string; readonly skip?: undefined }
  | { readonly skip: string };

const OLDEST_NODE = 20;

/**
 * Builds the package and installs it, with npm and from the registry.
 *
 * @param folder An empty folder.
 */
export async function npmProject(folder: string): Promise<NpmProject> {
  const version = await outputOf("node", ["--version"]);
  if (version === undefined) return { skip: "Node is missing" };
  if (Number(/^v(\d+)/.exec(version)?.[1]) < OLDEST_NODE) {
    return { skip: `Node ${version.trim()} is older than ${OLDEST_NODE}` };
  }
  await buildNpmPackage(`${folder}/package`);
  const project = `${folder}/project`;
  await Deno.mkdir(project);
  await Deno.writeTextFile(
    `${project}/package.json`,
    JSON.stringify({
      type: "module",
      dependencies: { "@larder/larder": "file:../package" },
    }),
  );
  const installed = await outputOf("npm", [
    ...["install", "--install-links", "--prefer-offline"],
    ...["--no-audit", "--no-fund", "--prefix", project],
  ]);
  if (installed === undefined) return { skip: "npm cannot install packages" };
  return { folder: project };
}

/** What a program prints; `undefined` when it is missing, or fails. */
export async function outputOf(
  program: string,
  args: readonly string[],
): Promise<string | undefined> {
  try {
    const command = new Deno.Command(program, { args: [...args] });
    const { success, stdout } = await command.output();
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
