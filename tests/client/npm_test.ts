/** The npm package, built, installed and run on Node against a real server. */

import assert from "node:assert/strict";
import { temporaryFolder } from "../../src/launch/testing/program.ts";
import ts from "typescript";
import { installedPackage } from "./installed_package.ts";
import { LIBRARY_ALONE, npmInstall, outputOf } from "./npm_package.ts";
import { Child, startAgain, withServer, withServerHere } from "./support.ts";

const PROGRAM = new URL("./programs/node_program.mjs", import.meta.url);
/** What a program on Node may say; its types are checked. */
const TYPED = `
import { Cache, memory, messagepack, TieredCache } from "@larder/larder";
const cache: Cache = await Cache.connect({ remote: "127.0.0.1:1" });
const tiers = new TieredCache([memory({ maxBytes: 1 }), cache]);
const made: { n: number } = await tiers.generate("a", { k: [1] }, () => ({ n: 1 }));
const day: Date | undefined = await cache.get("a", "k", { codec: messagepack<Date>() });
// @ts-expect-error: what is computed is no string
const wrong: string = await cache.generate("a", 1, () => 1);
await using held = cache;
export { day, held, made, wrong };
`;

Deno.test("the npm package runs on Node", async (test) => {
  await using folder = await temporaryFolder();
  const project = await installedPackage(folder.path, { isOwn: true });
  if (project.skip !== undefined) {
    console.log(`skipped the npm package: ${project.skip}`);
    return;
  }
  const program = `${project.folder}/program.mjs`;
  await Deno.copyFile(PROGRAM, program);

  await test.step("its types are those of the source", async () => {
    await Deno.writeTextFile(`${project.folder}/typed.ts`, TYPED);
    assert.deepEqual(typeErrors(`${project.folder}/typed.ts`), []);
  });

  await test.step("it is still there after the next install", async () => {
    assert(await npmInstall(project.folder, ...LIBRARY_ALONE));
    assert.equal(
      await outputOf("node", [
        "--input-type=module",
        ...["--eval", 'import "@larder/larder"; console.log("there")'],
      ], project.folder),
      "there\n",
    );
  });

  for (const page of ["README.md", "docs/CLIENT.md"]) {
    await test.step(`the programs for Node in ${page} print what it says`, () =>
      withServerHere(async ({ remote }) => {
        const programs = await nodePrograms(page);
        assert(programs.length > 0);
        const file = `${project.folder}/said.mjs`;
        for (const { code, printed } of programs) {
          const text = code.replaceAll("127.0.0.1:28056", remote);
          await Deno.writeTextFile(file, text);
          for (const expected of printed) {
            await using said: Child = new Child(["node", file]);
            const ended = await said.end();
            assert.deepEqual(ended, { lines: [expected], code: 0 });
          }
        }
      }));
  }

  await test.step("larder brings along what it needs, and the licenses of that", () =>
    withServerHere(async ({ remote }) => {
      const alone = `${folder.path}/alone`;
      const installed = `${project.folder}/node_modules/@larder/larder`;
      await outputOf("cp", ["-r", installed, alone]);
      const larder = ["node", `${alone}/src/npm/bin.js`];
      const named = ["--remote", remote, "--ns", "a.b", "key"];
      await using put: Child = new Child([...larder, "put", ...named, program]);
      assert.deepEqual((await put.end()).code, 0);
      await using get: Child = new Child([...larder, "get", ...named]);
      assert.equal(
        (await get.end()).lines.join("\n").trim(),
        (await Deno.readTextFile(program)).trim(),
      );
      await checkLicenses(alone);
    }));

  await test.step("it computes once, and survives a restart", async () => {
    const kinds = ["remote", "local"] as const;
    await Promise.all(kinds.map((kind) => survives(program, kind)));
  });
});

/** A program gets its values of a server that is killed and started again. */
function survives(program: string, kind: "remote" | "local"): Promise<void> {
  return withServer(async (server) => {
    const address = server[kind];
    await using child = new Child(["node", program, kind, address]);
    assert.equal(await child.line(), "computed computed");
    assert.equal(await child.line(), `found ${kind}`);
    assert.equal(await child.line(), "shared 1");
    assert.equal(await child.line(), "streamed 3000000");
    assert.equal(await child.line(), "computing");
    await server.kill();
    await using _again = await startAgain(server);
    const { lines, code } = await child.end();
    assert.deepEqual(lines, ["after the restart computed"]);
    assert.equal(code, 0);
  });
}

/** Each package that stands in a bundle of larder's must stand there. */
async function checkLicenses(folder: string): Promise<void> {
  const told = await Deno.readTextFile(`${folder}/THIRD_PARTY_LICENSES`);
  const bundles = ["src/npm/larder.js", "src/server/confined.js"];
  for (const bundle of bundles) {
    const text = await Deno.readTextFile(`${folder}/${bundle}`);
    const carried = [...text.matchAll(/^\/\/ npm:(.+?@[^/]+)\//gm)];
    assert(carried.length > 10);
    for (const [, each] of carried) {
      assert(told.includes(`\n${each}: `), `no license of ${each}`);
    }
  }
}

/** Programs of a page, and what they print, run by run. */
async function nodePrograms(
  page: string,
): Promise<{ code: string; printed: string[] }[]> {
  const text = await Deno.readTextFile(
    new URL(`../../${page}`, import.meta.url),
  );
  const blocks = text.matchAll(/^```js\n(.*?)^```$/gms);
  const documents = text.matchAll(
    /<<'END'\n(.*?)^END\n(?:node .*\n)+```\n\n```\n(.*?)\n```$/gms,
  );
  return [
    ...[...blocks].map(([, code]) => ({
      code: code!,
      printed: [...code!.matchAll(/\/\/ prints (.*)$/gm)].map(([, line]) =>
        line!
      ),
    })),
    ...[...documents].map(([, code, printed]) => ({
      code: code!,
      printed: printed!.split("\n"),
    })),
  ];
}

function typeErrors(path: string): string[] {
  const program = ts.createProgram([path], {
    // As `tsc --strict` of a project that says nothing of `lib`.
    strict: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    // Nothing that others happen to have installed: pnpm shows none of it.
    types: [],
  });
  return ts.getPreEmitDiagnostics(program).map(({ file, messageText }) =>
    `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`
  );
}
