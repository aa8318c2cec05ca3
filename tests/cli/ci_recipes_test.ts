/** The recipes for CI in docs/examples/ci: files that people copy. */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(
  new URL("../../docs/examples/ci/", import.meta.url),
);
const PAGE = new URL("../../docs/SHARING.md", import.meta.url);

/** Its package, for `go install`. */
const ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12";

/** The path of a program that Go has installed; `undefined`: it is not there. */
async function installedByGo(name: string): Promise<string | undefined> {
  const home = Deno.env.get("HOME") ?? "";
  const go = Deno.env.get("GOBIN") ||
    `${Deno.env.get("GOPATH") || `${home}/go`}/bin`;
  const folders = [...(Deno.env.get("PATH") ?? "").split(":"), go];
  for (const folder of folders) {
    const path = `${folder}/${name}`;
    const { isFile } = await Deno.stat(path).catch(() => ({ isFile: false }));
    if (isFile) return path;
  }
  return undefined;
}

function recipes(): string[] {
  return [...Deno.readDirSync(FOLDER)].map(({ name }) => name).sort();
}

Deno.test("actionlint finds nothing wrong with the workflows for GitHub", async () => {
  const program = await installedByGo("actionlint");
  if (program === undefined) {
    return console.log(
      `skip: there is no actionlint (go install ${ACTIONLINT})`,
    );
  }
  const files = recipes().filter((name) => name.startsWith("github-"));
  assert.ok(files.length >= 2);
  const { success, stdout } = await new Deno.Command(program, {
    args: ["-no-color", ...files.map((name) => FOLDER + name)],
  }).output();
  assert.ok(success, new TextDecoder().decode(stdout));
});

Deno.test("each recipe is told of, and gives no token to whoever asks for a merge", async () => {
  const page = await Deno.readTextFile(PAGE);
  for (const name of recipes()) {
    assert.ok(page.includes(`examples/ci/${name}`), name);
    const text = await Deno.readTextFile(FOLDER + name);
    const lines = text.split("\n").filter((line) => !/^\s*#/.test(line));
    for (const line of lines) {
      if (!line.includes("secrets.")) continue;
      assert.match(line, /github\.event_name == 'push' && secrets\./, name);
    }
    // Of GitLab the token is a protected variable, and none of the file's.
    if (!name.startsWith("gitlab")) continue;
    assert.ok(lines.every((line) => !line.includes("LARDER_TOKEN")), name);
  }
});

Deno.test("the commands of the recipes are such that a shell can read them", async () => {
  for (const name of recipes()) {
    const text = await Deno.readTextFile(FOLDER + name);
    const [script = ""] = /tree=\$\(.*?-- npm test$/ms.exec(text) ?? [];
    assert.notEqual(script, "", name);
    // What npm test runs, and with which packages, is told there.
    assert.match(script, /HEAD:package\.json HEAD:package-lock\.json/, name);
    const { success, stderr } = await new Deno.Command("sh", {
      args: ["-n", "-c", script],
    }).output();
    assert.ok(success, `${name}: ${new TextDecoder().decode(stderr)}`);
  }
});
