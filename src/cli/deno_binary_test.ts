import assert from "node:assert/strict";
import process from "node:process";
import { temporaryFolder } from "../launch/testing/program.ts";
import { findDeno } from "./deno_binary.ts";

const MANIFEST = { optionalDependencies: { deno: "1.2.3" } };
const PLATFORM = `@deno/${process.platform}-${process.arch}${
  process.platform === "linux" ? "-glibc" : ""
}`;

async function install(path: string, manifest: object): Promise<void> {
  await Deno.mkdir(path, { recursive: true });
  await Deno.writeTextFile(`${path}/package.json`, JSON.stringify(manifest));
}

Deno.test("findDeno says what is to be installed", async () => {
  await using folder = await temporaryFolder();
  const modules = `${folder.path}/node_modules`;
  const own = `${modules}/larder/package.json`;
  await install(`${modules}/larder`, MANIFEST);
  const missing = () => {
    const found = findDeno(own);
    return "missing" in found ? found.missing : "";
  };
  assert.match(
    missing(),
    /^the server runs on Deno 1\.2\.3, which is not .*: npm install deno@1\.2\.3$/,
  );

  await install(`${modules}/deno`, { version: "1.2.4" });
  assert.match(
    missing(),
    /and 1\.2\.4 is installed .*: npm install deno@1\.2\.3$/,
  );

  await install(`${modules}/deno`, { version: "1.2.3" });
  assert.match(missing(), /no program of it for this machine/);
  assert(missing().includes(PLATFORM));
});

Deno.test("findDeno finds the program beside the shim, not beside us", async () => {
  await using folder = await temporaryFolder();
  // As pnpm lays it out: links to where a package's own dependencies are.
  const store = `${folder.path}/store`;
  await install(`${store}/larder/node_modules/larder`, MANIFEST);
  await install(`${store}/deno/node_modules/deno`, { version: "1.2.3" });
  await install(`${store}/deno/node_modules/${PLATFORM}`, {});
  await Deno.symlink(
    `${store}/deno/node_modules/deno`,
    `${store}/larder/node_modules/deno`,
  );
  const program = process.platform === "win32" ? "deno.exe" : "deno";
  assert.deepEqual(
    findDeno(`${store}/larder/node_modules/larder/package.json`),
    { path: `${store}/deno/node_modules/${PLATFORM}/${program}` },
  );
});
