/**
 * The suites are programs in Go. They are built once and kept in the user's
 * cache folder, named for their versions.
 *
 * @module
 */

/** A program of a Go module. */
export interface GoTool {
  /** Of the program: the last part of the package. */
  readonly name: string;
  /** What `go install` takes. */
  readonly package: string;
  /** Of its module. */
  readonly version: string;
  /** A folder with a go.mod that names its versions; they shorten the build. */
  readonly pinnedIn?: string;
}

/** Where built programs stay. */
export function cacheFolder(): string {
  const home = Deno.env.get("HOME");
  const cache = Deno.env.get("XDG_CACHE_HOME") ?? (home && `${home}/.cache`);
  if (!cache) return Deno.makeTempDirSync({ prefix: "larder-conformance-" });
  return `${cache}/larder-conformance`;
}

/**
 * Builds a tool unless it is there.
 *
 * @param tool Which.
 * @param cache See {@linkcode cacheFolder}.
 * @returns The path of the program, or why there is none.
 */
export async function installed(
  { name, package: path, version, pinnedIn }: GoTool,
  cache: string,
): Promise<{ readonly program: string } | { readonly missing: string }> {
  const folder = `${cache}/${name}-${version}`;
  const program = `${folder}/${name}`;
  if (await isFile(program)) return { program };
  await Deno.mkdir(cache, { recursive: true });
  // Of one that was stopped half way, nothing is to be found under the name.
  const building = await Deno.makeTempDir({ dir: cache });
  try {
    console.log(`building ${path}@${version}`);
    const { success, stderr } = await new Deno.Command("go", {
      args: ["install", pinnedIn ? path : `${path}@${version}`],
      env: { GOBIN: building },
      ...pinnedIn && { cwd: pinnedIn },
    }).output();
    if (!success) {
      const said = new TextDecoder().decode(stderr).trim().split("\n");
      return { missing: `go cannot build ${name}: ${said.at(-1)}` };
    }
    await Deno.mkdir(folder, { recursive: true });
    await Deno.rename(`${building}/${name}`, program);
    return { program };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { missing: "no Go" };
    throw error;
  } finally {
    await Deno.remove(building, { recursive: true });
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.lstat(path)).isFile;
  } catch {
    return false;
  }
}
