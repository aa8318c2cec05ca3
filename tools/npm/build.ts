/**
 * Makes the npm package: the client library and `larder` for Node, and the server
 * for the Deno that npm installs beside it.
 *
 * ```sh
 * deno task npm            # writes dist/npm
 * deno task npm SOME/DIR   # from where it is called
 * deno task npm --check    # installs it with npm and pnpm, and tries it
 * ```
 *
 * @module
 */

import {
  copyFile,
  mkdir,
  readdir,
  readFile,
  rm,
  writeFile,
} from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { writeClients } from "./clients.ts";
import { licensesOf } from "./licenses.ts";
import { EXPORTS, manifestOf, PROGRAMS } from "./manifest.ts";
import { writeServer } from "./server.ts";

/** Copied as they are. */
const FOLDERS = ["proto"];
const FILES = ["LICENSE"];
/** Of the packages in it. */
const LICENSES = "THIRD_PARTY_LICENSES";
/** All folders that there are in a package. */
const MADE = ["src", "workers", ...FOLDERS];

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/**
 * Writes the package.
 *
 * @param folder Where to; created. An older package there is replaced.
 */
export async function buildNpmPackage(folder: string): Promise<void> {
  await removeOlder(folder);
  const places = { from: ROOT, to: folder };
  const [{ imported, carried }, inServer] = await Promise.all([
    writeClients(Object.values(EXPORTS), Object.values(PROGRAMS), places),
    writeServer(places),
  ]);
  for (const name of FOLDERS) await copyFolder(name, folder);
  for (const name of FILES) {
    await copyFile(join(ROOT, name), join(folder, name));
  }
  await writeFile(
    join(folder, "package.json"),
    await manifestOf(ROOT, imported),
  );
  await writeFile(
    join(folder, LICENSES),
    await licensesOf(carried.union(inServer)),
  );
}

/** Files that there are no more would be packed with the others. */
async function removeOlder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const name = await nameIn(join(folder, "package.json"));
  if (name === undefined) return;
  if (name !== await nameIn(join(ROOT, "deno.json"))) {
    throw new Error(
      `${folder} holds another package, ${name}: name an empty folder`,
    );
  }
  for (const each of MADE) {
    await rm(join(folder, each), { recursive: true, force: true });
  }
}

async function nameIn(file: string): Promise<string | undefined> {
  try {
    return JSON.parse(await readFile(file, "utf8")).name;
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return undefined;
    throw error;
  }
}

async function copyFolder(name: string, folder: string): Promise<void> {
  await mkdir(join(folder, name), { recursive: true });
  const entries = await readdir(join(ROOT, name), { withFileTypes: true });
  for (const entry of entries) {
    const path = join(name, entry.name);
    if (entry.isDirectory()) await copyFolder(path, folder);
    else await copyFile(join(ROOT, path), join(folder, path));
  }
}

/** Tries the package as it is installed; the exit code. */
async function check(): Promise<number> {
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "--quiet", "--allow-all", "tests/npm/installs.ts"],
    cwd: ROOT,
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  return code;
}

if (import.meta.main) {
  const [first = join(ROOT, "dist", "npm"), ...more] = Deno.args;
  if (first === "--check" && more.length === 0) Deno.exit(await check());
  if (first.startsWith("-") || more.length > 0) {
    console.error("larder: usage: deno task npm [FOLDER | --check]");
    Deno.exit(2);
  }
  // A task runs in the clone, wherever it was called.
  const path = resolve(Deno.env.get("INIT_CWD") ?? "", first);
  await buildNpmPackage(path);
  console.log(`larder: npm package in ${path}`);
}
