/**
 * Passes all tests: many files in one isolate, as many isolates at a time as keep
 * the processors busy. Words are passed on to `deno test`:
 *
 * ```sh
 * deno task test --filter "a word"
 * ```
 *
 * `deno test` makes an isolate for each file that it is given, which takes 0.15 s
 * of a processor before the first test: with one for each of our files that is
 * more than a tenth of all that the tests take. So it is given modules that
 * import test files of one folder. What those have in common is loaded once, and
 * the workers and processes that tests hand on come to more of them.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { filesBelow } from "./files_below.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const FOLDERS = ["tests", "src", "tools", "bench"];
/** Tests of the whole wait: more files would be a long row at the end of all. */
const WAITING_FILES = 6;
/** Tests of a room are quick. */
const QUICK_FILES = 60;
/** Each processor has another file to go on with while one waits. */
const JOBS_PER_PROCESSOR = 2;
/** Each takes some 200 MB, and starts servers of its own. */
const MOST_JOBS = 16;

/**
 * The files that share an isolate: of one folder, those that wait longest first.
 *
 * @param paths Test files, from the root of the repository on.
 */
export function groupsOf(paths: readonly string[]): string[][] {
  const folders = Map.groupBy(
    paths.toSorted(),
    (path) => path.split("/").slice(0, -1).slice(0, 2).join("/"),
  );
  return [...folders].flatMap(([folder, files]) => {
    const most = folder.startsWith("tests") ? WAITING_FILES : QUICK_FILES;
    const count = Math.ceil(files.length / most);
    // Neighbours are of a kind, and wait for as long: they are dealt out.
    return Array.from(
      { length: count },
      (_, at) => files.filter((_, place) => place % count === at),
    );
  }).sort(([one = ""], [other = ""]) =>
    Number(other.startsWith("tests/")) - Number(one.startsWith("tests/"))
  );
}

/** Writes a module for each group; their paths. */
async function writeModules(folder: string): Promise<string[]> {
  const files = FOLDERS.flatMap((each) => filesBelow(ROOT, each));
  const groups = groupsOf(files.filter((path) => path.endsWith("_test.ts")));
  return await Promise.all(groups.map(async (files, at) => {
    const name = files[0]!.split("/").slice(0, -1).join("_");
    const path = `${folder}/${at}_${name}.ts`;
    const imports = files.map((file) =>
      `import ${JSON.stringify(new URL(`../${file}`, import.meta.url))};\n`
    );
    await Deno.writeTextFile(path, imports.join(""));
    return path;
  }));
}

async function run(words: readonly string[]): Promise<number> {
  // It ends after the tests, which are interrupted as well.
  Deno.addSignalListener("SIGINT", () => {});
  const folder = await Deno.makeTempDir({ prefix: "larder-tests-" });
  try {
    const jobs = Math.min(
      JOBS_PER_PROCESSOR * navigator.hardwareConcurrency,
      MOST_JOBS,
    );
    const { status } = new Deno.Command(Deno.execPath(), {
      args: [
        ...["test", "--quiet", "--parallel", "--no-check", "--allow-all"],
        ...["--config", `${ROOT}deno.json`],
        ...[...await writeModules(folder), ...words],
      ],
      env: { DENO_JOBS: Deno.env.get("DENO_JOBS") ?? `${jobs}` },
    }).spawn();
    return (await status).code;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) Deno.exit(await run(Deno.args));
