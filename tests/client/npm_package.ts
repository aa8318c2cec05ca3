/**
 * The npm package, built, packed and installed into a project of its own.
 *
 * @module
 */

/** A folder in which `@larder/larder` is installed, or why there is none. */
export type NpmProject =
  | { readonly folder: string; readonly skip?: undefined }
  | { readonly folder?: undefined; readonly skip: string };

const OLDEST_NODE = 20;

/** What a user of the library alone says: no Deno, and nothing but files. */
export const LIBRARY_ALONE: readonly string[] = [
  "--omit=optional",
  "--ignore-scripts",
];

/**
 * Builds the package, packs it, and installs it with npm and from the registry:
 * 10 s of work. Who only runs it takes `installedPackage`.
 *
 * @param folder An empty folder.
 */
export async function npmProject(folder: string): Promise<NpmProject> {
  const version = await outputOf("node", ["--version"]);
  if (version === undefined) return { skip: "Node is missing" };
  if (Number(/^v(\d+)/.exec(version)?.[1]) < OLDEST_NODE) {
    return { skip: `Node ${version.trim()} is older than ${OLDEST_NODE}` };
  }
  const tarball = await packedPackage(folder);
  if (tarball === undefined) return { skip: "npm is missing" };
  const project = `${folder}/project`;
  await Deno.mkdir(project);
  await Deno.writeTextFile(
    `${project}/package.json`,
    JSON.stringify({ type: "module" }),
  );
  const installed = await npmInstall(project, ...LIBRARY_ALONE, tarball);
  if (!installed) return { skip: "npm cannot install packages" };
  return { folder: project };
}

/**
 * Builds the package and packs it as it would be published.
 *
 * @param folder Where the tarball is put.
 * @returns Its path; `undefined` when npm is missing.
 */
export async function packedPackage(
  folder: string,
): Promise<string | undefined> {
  // Loads a compiler, which those who find the package made do not need.
  const { buildNpmPackage } = await import("../../tools/npm/build.ts");
  await buildNpmPackage(`${folder}/package`);
  const packed = await outputOf("npm", [
    ...["pack", "--silent", "--ignore-scripts", `${folder}/package`],
    ...["--pack-destination", folder],
  ]);
  return packed === undefined ? undefined : `${folder}/${packed.trim()}`;
}

/** Runs `npm install` in a project; whether it succeeded. */
export async function npmInstall(
  project: string,
  ...words: string[]
): Promise<boolean> {
  return await outputOf("npm", [
    ...["install", "--prefer-offline", "--no-audit", "--no-fund"],
    ...["--prefix", project, ...words],
  ]) !== undefined;
}

/** What a program prints; `undefined` when it is missing, or fails. */
export async function outputOf(
  program: string,
  args: readonly string[],
  cwd = ".",
): Promise<string | undefined> {
  try {
    const command = new Deno.Command(program, { args: [...args], cwd });
    const { success, stdout } = await command.output();
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
