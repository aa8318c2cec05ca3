/**
 * The npm package as it is installed, made once for all tests that run it.
 *
 * It is kept in the user's cache folder, named for all that it is made of: the
 * tests of other files, and of the next time, find it there.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { cpSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type NpmProject, npmProject, outputOf } from "./npm_package.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** What the package is made of, and by. */
const SOURCES = [
  ...["LICENSE", "deno.json", "deno.lock", "proto", "src", "tools/npm"],
  "workers",
];
/** A package that nobody has used for so long is of sources that have gone. */
const UNUSED_MS = 24 * 3_600_000;

/**
 * A project in which the package is installed.
 *
 * @param folder Where to make the project; programs are put into it.
 * @param options Whether npm is to change what is installed: then it is a copy.
 */
export async function installedPackage(
  folder: string,
  { isOwn = false } = {},
): Promise<NpmProject> {
  const cache = await cacheFolder();
  if (cache === undefined) return await npmProject(folder);
  const made = `${cache}/${await digestOfSources()}`;
  const skip = await makeOnce(made, cache);
  if (skip !== undefined) return { skip };
  const project = `${folder}/project`;
  if (isOwn) {
    copyProject(made, folder);
    return { folder: project };
  }
  await Deno.mkdir(project);
  const manifest = "package.json";
  await Deno.copyFile(`${made}/project/${manifest}`, `${project}/${manifest}`);
  const modules = "node_modules";
  await Deno.symlink(`${made}/project/${modules}`, `${project}/${modules}`);
  return { folder: project };
}

/** The project, and the tarball from which its package is. */
function copyProject(made: string, folder: string): void {
  for (const { name } of Deno.readDirSync(made)) {
    if (name === "package") continue;
    // Links to programs lead to the files beside them.
    const options = { recursive: true, verbatimSymlinks: true };
    cpSync(`${made}/${name}`, `${folder}/${name}`, options);
  }
}

/**
 * The `larder` of the package on Node, as the words that start it; `undefined`,
 * with a word on it, where it cannot be installed.
 */
export async function larderOnNode(
  folder: string,
): Promise<string[] | undefined> {
  const project = await installedPackage(folder);
  if (project.skip === undefined) {
    return [`${project.folder}/node_modules/.bin/larder`];
  }
  console.log(`skipped larder on Node: ${project.skip}`);
  return undefined;
}

/** Makes the package unless it is there; why that is impossible. */
async function makeOnce(
  made: string,
  cache: string,
): Promise<string | undefined> {
  // Others wait for whoever is first, also in other processes.
  using lock = await Deno.open(`${cache}/lock`, { create: true, append: true });
  await lock.lock(true);
  if (await wasUsed(made)) return undefined;
  await removeUnused(cache);
  // Apart, so that none is ever half made.
  const making = await Deno.makeTempDir({ dir: cache });
  const { skip } = await npmProject(making);
  if (skip === undefined) await Deno.rename(making, made);
  else await Deno.remove(making, { recursive: true });
  return skip;
}

/** Notes that a package is used; whether there is one. */
async function wasUsed(made: string): Promise<boolean> {
  try {
    await Deno.utime(made, new Date(), new Date());
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function removeUnused(cache: string): Promise<void> {
  for await (const { name, isDirectory } of Deno.readDir(cache)) {
    const { mtime } = await Deno.stat(`${cache}/${name}`);
    if (isDirectory && Date.now() - mtime!.getTime() > UNUSED_MS) {
      await Deno.remove(`${cache}/${name}`, { recursive: true });
    }
  }
}

async function digestOfSources(): Promise<string> {
  const hash = createHash("sha256");
  hash.update(`${await outputOf("node", ["--version"])}`);
  const files = (await Promise.all(SOURCES.map(filesOf))).flat().sort();
  for (const path of files) {
    const bytes = await Deno.readFile(ROOT + path);
    hash.update(`${path} ${bytes.length}\n`).update(bytes);
  }
  return hash.digest("hex").slice(0, 16);
}

/** The file of this path, or all files below it. */
async function filesOf(path: string): Promise<string[]> {
  if (!(await Deno.stat(ROOT + path)).isDirectory) return [path];
  const entries = await Array.fromAsync(Deno.readDir(ROOT + path));
  const inner = entries.map(({ name }) => filesOf(`${path}/${name}`));
  return (await Promise.all(inner)).flat();
}

/** The folder of the packages; `undefined`: there is none to write in. */
async function cacheFolder(): Promise<string | undefined> {
  const home = Deno.env.get("HOME");
  const cache = Deno.env.get("XDG_CACHE_HOME") ?? (home && `${home}/.cache`);
  if (!cache) return undefined;
  const folder = `${cache}/larder-npm`;
  try {
    await Deno.mkdir(folder, { recursive: true });
  } catch {
    return undefined;
  }
  return folder;
}
