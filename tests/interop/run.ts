/**
 * Prepares Python and runs the flows of `interop.py` against real servers:
 * a gRPC stack that shares no code with ours (the C core) has the last word.
 *
 * Without a fitting Python the flows are skipped.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { hasPython, pythonEnvironment } from "../support/python.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const repository = fileURLToPath(new URL("../..", import.meta.url));

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
  const python = await pythonEnvironment({
    requirements: `${here}requirements.txt`,
    module: "grpc_tools",
  });
  const stubs = await Deno.makeTempDir({ prefix: "larder-interop-" });
  try {
    const proto = `${repository}proto`;
    await must(
      ...[python, "-m", "grpc_tools.protoc", `-I${proto}`] as const,
      ...[`--python_out=${stubs}`, `--grpc_python_out=${stubs}`],
      ...[`${proto}/local.proto`, `${proto}/remote.proto`],
    );
    // Their stubs would be a module named as the client is.
    const descriptors = `${stubs}/larder.descriptors`;
    await must(
      ...[python, "-m", "grpc_tools.protoc", `-I${proto}`] as const,
      ...[`--descriptor_set_out=${descriptors}`, "--include_imports"],
      `${proto}/larder/v1/cache.proto`,
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
        PYTHONPATH: `${stubs}:${repository}python`,
        LARDER_DESCRIPTORS: descriptors,
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
