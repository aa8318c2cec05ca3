import assert from "node:assert/strict";
import { createTarDecoder, createTarPacker } from "modern-tar";
import fc from "fast-check";
import { character } from "../../../tests/support/characters.ts";
import { temporaryFolder } from "../../launch/testing/program.ts";
import { type TarEntry, tarHeader } from "./tar_header.ts";

const END = new Uint8Array(1024);
const KINDS = { file: "file", link: "symlink", folder: "directory" } as const;
type Kind = keyof typeof KINDS;

/** What a decoder makes of headers; no bytes follow them. */
async function decoded(entries: readonly TarEntry[]) {
  const bytes = new Blob(
    [...entries.map(tarHeader), END] as Uint8Array<ArrayBuffer>[],
  );
  const decoder = createTarDecoder({ strict: true });
  const found = [];
  for await (const { header } of bytes.stream().pipeThrough(decoder)) {
    const { name, size, mode, type, linkname } = header;
    found.push({ name, size, mode, type, linkname: linkname ?? "" });
  }
  return found;
}

const NAMES = fc.string({ unit: character, minLength: 1, maxLength: 300 })
  .map((name) => name.replaceAll("\0", "x").toWellFormed());

Deno.test("a decoder finds in a header what was written into it", async () => {
  const entries = fc.record({
    type: fc.constantFrom<Kind>("file", "link", "folder"),
    name: fc.oneof(
      NAMES,
      fc.integer({ min: 90, max: 130 }).map((length) => "x".repeat(length)),
    ),
    mode: fc.integer({ min: 0, max: 0o777 }),
    target: NAMES,
  });
  await fc.assert(fc.asyncProperty(
    fc.array(entries, { minLength: 1, maxLength: 5 }),
    async (all) => {
      const written = all.map(({ target, ...entry }) =>
        entry.type === "link" ? { ...entry, target } : entry
      );
      const wanted = written.map(({ type, name, mode, ...more }) => ({
        ...{ name, size: 0, mode, type: KINDS[type] },
        linkname: "target" in more ? more.target : "",
      }));
      assert.deepEqual(await decoded(written), wanted);
    },
  ));
});

Deno.test("a header is what a library makes of the same entry", async () => {
  for (
    const entry of [
      { type: "file", name: "outs/0/ä.o", size: 12_345, mode: 0o755 },
      { type: "file", name: "x".repeat(100), size: 0o77777777777, mode: 0 },
      { type: "folder", name: "outs/0/", mode: 0o700 },
      { type: "link", name: "outs/1", target: "y".repeat(100) },
    ] as const
  ) {
    const { readable, controller } = createTarPacker();
    controller.add({
      ...{ size: 0, mtime: new Date(0), uid: 0, gid: 0 },
      ...entry,
      type: KINDS[entry.type],
      ..."target" in entry && { linkname: entry.target },
    });
    const { value } = await readable.getReader().read();
    assert.deepEqual(new Uint8Array(tarHeader(entry)), new Uint8Array(value!));
  }
});

Deno.test("tar reads long names, and sizes beyond what a block has room for", async () => {
  await using folder = await temporaryFolder();
  const long = `outs/0/${"ä".repeat(120)}`;
  const target = `${"up/".repeat(50)}x`;
  const link: TarEntry = { type: "link", name: long, target };
  // All of it that can be there: its bytes are cut off.
  const large: TarEntry = { type: "file", name: "l", size: 0o100000000000 };
  const archive = `${folder.path}/a.tar`;
  const parts = [link, large].map(tarHeader);
  await Deno.writeFile(archive, new Blob(parts as never).stream());
  const { stdout } = await new Deno.Command("tar", {
    args: ["-tvf", archive, "--quoting-style=literal"],
    env: { LC_ALL: "C.UTF-8" },
    stderr: "null",
  }).output();
  const listed = new TextDecoder().decode(stdout);
  assert(listed.includes(`${long} -> ${target}\n`), listed);
  assert.match(listed, / 8589934592 .* l\n/);
});
