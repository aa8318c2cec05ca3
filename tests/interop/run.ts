/**
 * Prepares Python and runs the flows of `interop.py` against real servers:
 * a gRPC stack that shares no code with ours (the C core) has the last word.
 *
 * The virtual environment is kept in the user's cache folder, named for the
 * requirements. Without a fitting Python the flows are skipped.
 *
 * @module
 */

import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const repository = fileURLToPath(new URL("../..", import.meta.url));
/** Whether Python is new enough for the flows, and can make virtual environments. */
const PROBE =
  "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))";

async function run(program: string, ...args: string[]): Promise<boolean> {
  const { success } = await new Deno.Command(program, {
    args,
    cwd: repository,
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn().status;
  return success;
}

async function must(program: string, ...args: string[]): Promise<void> {
  if (!await run(program, ...args)) {
    throw new Error(`Cannot go on: ${program} ${args[1]} failed`);
  }
}

async function hasPython(): Promise<boolean> {
  try {
    const { success } = await new Deno.Command("python3", {
      args: ["-c", PROBE],
    }).output();
    return success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function cacheFolder(): string {
  const home = Deno.env.get("HOME");
  const cache = Deno.env.get("XDG_CACHE_HOME") ?? (home && `${home}/.cache`);
  if (!cache) return Deno.makeTempDirSync({ prefix: "larder-interop-" });
  return `${cache}/larder-interop`;
}

/** Returns the environment's Python; makes the environment unless it is there. */
async function environment(requirements: string): Promise<string> {
  const bytes = await Deno.readFile(requirements);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))
    .toHex();
  const folder = `${cacheFolder()}/${digest.slice(0, 16)}`;
  const python = `${folder}/bin/python`;
  // Written last: an environment that lacks it was left half made.
  const complete = `${folder}/complete`;
  if (await exists(complete) && await run(python, "-c", "import grpc_tools")) {
    return python;
  }
  console.log(`making a virtual environment in ${folder}`);
  await must("python3", "-m", "venv", "--clear", folder);
  await must(
    ...[
      python,
      "-m",
      "pip",
      "install",
      "--quiet",
      "--disable-pip-version-check",
    ] as const,
    ...["--only-binary", ":all:", "-r", requirements],
  );
  await Deno.writeTextFile(complete, "");
  return python;
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch {
    return false;
  }
}

/** How many flows there are, for where no Python counts them. */
function countFlows(): number {
  return [...Deno.readDirSync(here)]
    .filter(({ name }) => /^flows_\w+\.py$/.test(name))
    .flatMap(({ name }) =>
      Deno.readTextFileSync(here + name).match(/^@flow/gm) ?? []
    )
    .length;
}

async function main(): Promise<number> {
  if (!await hasPython()) {
    console.log("skip: interop needs python3, 3.11 or later, with venv");
    console.log(`0 passed, 0 failed, ${countFlows()} skipped`);
    return 0;
  }
  const python = await environment(`${here}requirements.txt`);
  const stubs = await Deno.makeTempDir({ prefix: "larder-interop-" });
  try {
    const proto = `${repository}proto`;
    await must(
      ...[python, "-m", "grpc_tools.protoc", `-I${proto}`] as const,
      ...[`--python_out=${stubs}`, `--grpc_python_out=${stubs}`],
      ...[`${proto}/local.proto`, `${proto}/remote.proto`],
    );
    const { code } = await new Deno.Command(python, {
      args: [
        `${here}interop.py`,
        repository,
        Deno.execPath(),
        "task",
        "--quiet",
        "serve",
      ],
      env: {
        PYTHONPATH: stubs,
        PYTHONDONTWRITEBYTECODE: "1",
        // Else the C core reports each GOAWAY.
        GRPC_VERBOSITY: "ERROR",
      },
      stdin: "null",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn().status;
    return code;
  } finally {
    await Deno.remove(stubs, { recursive: true });
  }
}

if (import.meta.main) Deno.exit(await main());
