/** The container file can be built, as far as that is seen without building it. */

import assert from "node:assert/strict";
import { validate } from "dockerfile-utils";
import { parseCommandLine } from "../../src/launch/arguments.ts";

const ROOT = new URL("../../", import.meta.url);
const FILE = await Deno.readTextFile(
  new URL("docs/deploy/Containerfile", ROOT),
);

/** What a linter says of it: `3: Unknown instruction: RUM`. */
function complaints(file: string): string[] {
  return validate(file).map(({ range, message }) =>
    `${range.start.line + 1}: ${message}`
  );
}

Deno.test("a linter finds nothing to say about the container file", () => {
  assert.deepEqual(complaints(FILE), []);
});

Deno.test("a linter sees that a container file is broken", () => {
  const broken: [from: RegExp, to: string, told: RegExp][] = [
    [/^FROM /m, "FORM ", /FORM/],
    [/^COPY proto proto$/m, "COPY proto", /COPY requires at least two/],
    [/^EXPOSE 28056$/m, "EXPOSE port", /Invalid containerPort: port/],
    [/^USER node$/m, "USER", /no arguments/],
  ];
  for (const [from, to, told] of broken) {
    const file = FILE.replace(from, to);
    assert.notEqual(file, FILE, to);
    assert.match(complaints(file).join("\n"), told);
  }
});

Deno.test("the container file copies what there is, and starts a server", async () => {
  const copied = FILE.matchAll(/^COPY (.+) \S+$/gm)
    .flatMap(([, paths]) => paths!.split(" ")).toArray();
  assert.ok(copied.includes("deno.lock"));
  for (const path of copied) await Deno.stat(new URL(path, ROOT));
  const [, words = ""] = /deno task serve (.+) --print-command/.exec(FILE) ??
    [];
  const { kind } = await parseCommandLine(
    ["serve", ...words.split(" "), "--print-command"],
    Deno.cwd,
  );
  assert.equal(kind, "print-command");
});
