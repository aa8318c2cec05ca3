/**
 * Python with packages of pinned versions: an implementation that shares no
 * code with ours has the last word.
 *
 * A virtual environment is kept in the user's cache folder, named for the
 * requirements.
 *
 * @module
 */

/** Whether Python is new enough, and can make virtual environments. */
const PROBE =
  "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))";

/** What {@linkcode pythonEnvironment} needs. */
export interface Packages {
  /** The path of a requirements.txt. */
  readonly requirements: string;
  /** A module of theirs: an environment that can import it is whole. */
  readonly module: string;
}

/** Whether there is a Python that {@linkcode pythonEnvironment} can use. */
export function hasPython(): Promise<boolean> {
  return succeeds("python3", "-c", PROBE);
}

/**
 * Returns the path of a Python that has the packages. They are installed into
 * a new environment unless there is one.
 */
export async function pythonEnvironment(
  { requirements, module }: Packages,
): Promise<string> {
  const bytes = await Deno.readFile(requirements);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))
    .toHex();
  const name = digest.slice(0, 16);
  const cache = cacheFolder();
  const folder = `${cache}/${name}`;
  const python = `${folder}/bin/python`;
  const isWhole = () => succeeds(python, "-c", `import ${module}`);
  if (await isWhole()) return python;
  console.log(`making a virtual environment in ${folder}`);
  await Deno.mkdir(cache, { recursive: true });
  // Apart, so that none is ever half made, and others may make it meanwhile.
  const made = await Deno.makeTempDir({ dir: cache, prefix: `${name}-` });
  try {
    await must("python3", "-m", "venv", made);
    await must(
      ...[`${made}/bin/python`, "-m", "pip", "install"] as const,
      ...["--quiet", "--disable-pip-version-check"],
      ...["--only-binary", ":all:", "-r", requirements],
    );
    if (!await isWhole()) {
      await removeFolder(folder);
      await Deno.rename(made, folder);
    }
  } finally {
    await removeFolder(made);
  }
  return python;
}

/** Runs a program; what it said is in the error. */
async function must(program: string, ...args: string[]): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args })
    .output();
  if (success) return;
  const said = new TextDecoder().decode(stderr.length > 0 ? stderr : stdout);
  throw new Error(`Cannot go on: ${program} ${args[1]} failed: ${said.trim()}`);
}

async function succeeds(program: string, ...args: string[]): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(program, { args }).output();
    return success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function removeFolder(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function cacheFolder(): string {
  const home = Deno.env.get("HOME");
  const cache = Deno.env.get("XDG_CACHE_HOME") ?? (home && `${home}/.cache`);
  if (!cache) return Deno.makeTempDirSync({ prefix: "larder-interop-" });
  return `${cache}/larder-interop`;
}
