import { equal, match, rejects } from "node:assert/strict";
import { createTarPacker, type TarHeader } from "modern-tar";
import { Malformed } from "./archive.ts";
import { pack, packedSize } from "./pack.ts";
import { type Unpacked, Unpacking } from "./unpack.ts";

const OUTS = ["d/a", "d/b"];

type Header = Partial<TarHeader> & { name: string };

function manifest(value: unknown): [Header, string] {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return [{ name: "larder-run.json" }, text];
}

const GOOD: readonly [Header, string][] = [
  manifest({ larder_run: 3, exit_code: 0, outs: OUTS }),
  [{ name: "stdout" }, "said"],
  [{ name: "stderr" }, ""],
  [{ name: "outs/0", mode: 0o4755 }, "first"],
  [{ name: "outs/1", type: "symlink", linkname: "a" }, ""],
];

/** A tar of these entries, as anybody may write one. */
async function tar(entries: readonly [Header, string][]): Promise<Uint8Array> {
  const { readable, controller } = createTarPacker();
  const written = (async () => {
    for (const [header, text] of entries) {
      const bytes = new TextEncoder().encode(text);
      const writer = controller.add({
        type: "file",
        size: bytes.length,
        ...header,
      }).getWriter();
      if (bytes.length > 0) await writer.write(bytes);
      await writer.close();
    }
    controller.finalize();
  })();
  const bytes = await new Response(readable as unknown as BodyInit).bytes();
  await written;
  return bytes;
}

async function* inPieces(bytes: Uint8Array, size = 100) {
  for (let at = 0; at < bytes.length; at += size) {
    yield await Promise.resolve(bytes.subarray(at, at + size));
  }
}

/** What was read, as text. */
async function read(kept: Unpacking): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of kept.entries()) found.push(await shown(entry));
  return found;
}

async function shown(entry: Unpacked): Promise<string> {
  if (entry.kind === "link") return `${entry.index} -> ${entry.target}`;
  if (entry.kind === "folder") {
    return `${entry.index}/${entry.below ?? ""} ${entry.mode.toString(8)}`;
  }
  const pieces: Uint8Array[] = [];
  for await (const piece of entry.pieces) pieces.push(piece);
  const text = await new Blob(pieces as BlobPart[]).text();
  return entry.kind === "said"
    ? `${entry.name}: ${text}`
    : `${entry.index} ${entry.mode.toString(8)}: ${text}`;
}

function replaced(
  index: number,
  ...entries: readonly [Header, string][]
): [Header, string][] {
  return GOOD.toSpliced(index, 1, ...entries);
}

const HOSTILE: Record<string, [Header, string][]> = {
  "nothing": [],
  "no manifest": replaced(0),
  "another entry first": [[{ name: "outs/0" }, "x"], ...GOOD],
  "a manifest that is no JSON": replaced(0, manifest("{")),
  "a manifest that is null": replaced(0, manifest("null")),
  "a manifest that is a link": replaced(0, [
    { name: "larder-run.json", type: "symlink", linkname: "/etc/passwd" },
    "",
  ]),
  "a manifest of another version": replaced(
    0,
    manifest({ larder_run: 2, exit_code: 0, outs: OUTS }),
  ),
  "an exit code that is none": replaced(
    0,
    manifest({ larder_run: 3, exit_code: 256, outs: OUTS }),
  ),
  "outs of another run": replaced(
    0,
    manifest({ larder_run: 3, exit_code: 0, outs: ["d/a", "/etc/passwd"] }),
  ),
  "no stdout": replaced(1),
  "stdout that is a device": replaced(1, [
    { name: "stdout", type: "character-device" },
    "",
  ]),
  "a missing out": replaced(4),
  "an out twice": replaced(4, [{ name: "outs/0" }, "again"]),
  "an out that there is none of": [...GOOD, [{ name: "outs/2" }, ""]],
  "a hard link": replaced(4, [
    { name: "outs/1", type: "link", linkname: "/etc/passwd" },
    "",
  ]),
  "a folder": replaced(4, [{ name: "outs/1", type: "directory" }, ""]),
  "a pipe": replaced(4, [{ name: "outs/1", type: "fifo" }, ""]),
  "more after its end": [...GOOD, [{ name: "stdout" }, "again"]],
  ...Object.fromEntries(
    [
      ...["/etc/passwd", "../a", "outs/../../a", "outs/..", "outs/./0", "a"],
      ...["outs//0", "outs/0/", "outs/00", "outs/-1", "outs/1e0", "outs/0x0"],
      ...["outs", "OUTS/0", "outs/0/a", " outs/0", "outs/0 ", "outs\\0"],
      ...["outs/99999999999999999999", `outs/0/${"x".repeat(256)}`],
    ].map((
      name,
    ) => [`the name ${name.slice(0, 40)}`, [...GOOD, [{ name }, ""]]]),
  ),
  ...Object.fromEntries(
    ["/etc/passwd", "../x", "../../d/a", "b", "c", "", ".", "a/../../x", "/d/a"]
      .map((linkname) => [
        `a link to ${linkname}`,
        replaced(4, [{ name: "outs/1", type: "symlink", linkname }, ""]),
      ]),
  ),
};

Deno.test("an archive says what it holds, in pieces of any size", async () => {
  const bytes = await tar(GOOD);
  for (const size of [1, 511, 512, 513, 100_000]) {
    const kept = new Unpacking(inPieces(bytes, size), OUTS);
    const found = ["stdout: said", "stderr: ", "0 755: first", "1 -> a"];
    equal(String(await read(kept)), String(found));
    equal(kept.exitCode, 0);
  }
});

Deno.test("what is packed can be unpacked", async () => {
  const name = await Deno.makeTempFile();
  try {
    const large = crypto.getRandomValues(new Uint8Array(60_000));
    await Deno.writeFile(name, large);
    const text = { larder_run: 3, exit_code: 3, outs: OUTS };
    const kept = new Unpacking(
      pack([
        {
          name: "larder-run.json",
          bytes: new TextEncoder().encode(JSON.stringify(text)),
        },
        { name: "stdout", path: name, size: 60_000, mode: 0o600 },
        { name: "stderr", bytes: new Uint8Array(0) },
        { name: "outs/1", target: "a" },
      ]),
      OUTS,
    );
    equal((await read(kept)).at(-1), "1 -> a");
    equal(kept.exitCode, 3);
    const tooShort = pack([{ name: "x", path: name, size: 1, mode: 0o600 }]);
    await rejects(Array.fromAsync(tooShort), /changed while it was stored/);
  } finally {
    await Deno.remove(name);
  }
});

const TREE_OUTS = ["build/", "gen/*.h"];

/** What a run of these outs keeps, and more. */
function trees(...more: readonly [Header, string][]): [Header, string][] {
  return [
    manifest({ larder_run: 3, exit_code: 0, outs: TREE_OUTS }),
    [{ name: "stdout" }, ""],
    [{ name: "stderr" }, ""],
    [{ name: "outs/0/", type: "directory", mode: 0o755 }, ""],
    [{ name: "outs/0/sub/", type: "directory", mode: 0o4700 }, ""],
    [{ name: "outs/0/sub/f", mode: 0o644 }, "first"],
    [{ name: "outs/0/l", type: "symlink", linkname: "sub/f" }, ""],
    [{ name: "outs/1/a.h", mode: 0o600 }, "second"],
    ...more,
  ];
}

Deno.test("an archive says what it holds of folders and patterns", async () => {
  const kept = new Unpacking(inPieces(await tar(trees())), TREE_OUTS);
  const found = [
    ...["stdout: ", "stderr: ", "0/ 755", "0/sub 700", "0 644: first"],
    ...["0 -> sub/f", "1 600: second"],
  ];
  equal(String(await read(kept)), String(found));
});

const link = (name: string, linkname: string): [Header, string] => [
  { name, type: "symlink", linkname },
  "",
];

const HOSTILE_TREES: Record<string, [Header, string][]> = {
  "a pattern's file that does not match": trees([{ name: "outs/1/a.c" }, ""]),
  "a pattern's file in a folder": trees([{ name: "outs/1/d/a.h" }, ""]),
  "a pattern's folder": trees([{ name: "outs/1/d", type: "directory" }, ""]),
  "a pattern as a file": trees([{ name: "outs/1" }, ""]),
  "a folder as a file": trees([{ name: "outs/0" }, ""]),
  "a file in no folder": trees([{ name: "outs/0/x/f" }, ""]),
  "a file in a file": trees([{ name: "outs/0/sub/f/x" }, ""]),
  "a file in a link": trees([{ name: "outs/0/l/x" }, ""]),
  "a file twice": trees([{ name: "outs/0/sub/f" }, ""]),
  "a folder twice": trees([{ name: "outs/0/sub", type: "directory" }, ""]),
  "a file in a link's place": trees([{ name: "outs/0/l" }, ""]),
  "a file in a folder's place": trees([{ name: "outs/0/sub" }, ""]),
  "a hard link in a folder": trees([
    { name: "outs/0/h", type: "link", linkname: "outs/0/sub/f" },
    "",
  ]),
  "no folder": trees().toSpliced(3, 4),
  "no file of a pattern": trees().slice(0, -1),
  ...Object.fromEntries(
    ["..", ".", "outs/0/../x", "a//b", "a/./b", "a/../../x"]
      .map((name) => [
        `the name ${name} in a folder`,
        trees([{ name: `outs/0/${name}` }, ""]),
      ]),
  ),
  ...Object.fromEntries(
    ["/etc/passwd", "..", "../x", "l/../../x", "sub/../f", "../gen/a.c", ""]
      .map((to) => [
        `a link in a folder to ${to}`,
        trees(link("outs/0/m", to)),
      ]),
  ),
  "a link of a pattern to elsewhere": trees(link("outs/1/l.h", "a.c")),
};

for (
  const [what, entries] of Object.entries({ ...HOSTILE, ...HOSTILE_TREES })
) {
  Deno.test(`a hostile archive: ${what}`, async () => {
    const bytes = await tar(entries);
    const source = inPieces(bytes);
    const kept = new Unpacking(source, what in HOSTILE ? OUTS : TREE_OUTS);
    await rejects(read(kept), (error) => {
      match((error as Error).message, /^what is kept is no output of larder/);
      return error instanceof Malformed;
    });
    await kept.drain();
    equal((await source.next()).done, true);
  });
}

/** Makes the sum of a tar header right. */
function sign(header: Uint8Array): void {
  header.fill(0x20, 148, 156);
  const sum = header.reduce((sum, byte) => sum + byte, 0);
  const text = `${sum.toString(8).padStart(6, "0")}\0 `;
  header.set(new TextEncoder().encode(text), 148);
}

Deno.test("bytes that are no archive, and archives that are cut, are malformed", async () => {
  const bytes = await tar(GOOD);
  const noise = crypto.getRandomValues(new Uint8Array(5_000));
  const large = new Uint8Array(512);
  large.set(bytes.subarray(0, 512));
  // The header of a manifest of 8 GiB.
  large.set(new TextEncoder().encode("77777777777"), 124);
  sign(large);
  await rejects(
    read(new Unpacking(inPieces(large), OUTS)),
    /its manifest is too large/,
  );
  const all: Uint8Array[] = [noise, large, new Uint8Array(9_000)];
  for (let end = 0; end < bytes.length; end += 97) {
    all.push(bytes.subarray(0, end));
  }
  // Beyond there, its manifest is filled up with what does not matter.
  for (let at = 0; at < 560; at += 7) {
    const bent = bytes.slice();
    bent[at]! ^= 0x55;
    all.push(bent);
  }
  for (const each of all) {
    const kept = new Unpacking(inPieces(each, 1_000), OUTS);
    await rejects(read(kept), Malformed);
    await kept.drain();
  }
});

Deno.test("what the source throws is not taken for a malformed archive", async () => {
  const bytes = await tar(GOOD);
  for (const end of [0, 300, 2_000]) {
    const failing = (async function* () {
      yield* inPieces(bytes.subarray(0, end));
      throw new TypeError("the connection broke");
    })();
    await rejects(read(new Unpacking(failing, OUTS)), TypeError);
  }
});

Deno.test("how long an archive will be is known before", async () => {
  const entries = [
    { name: "empty", bytes: new Uint8Array() },
    { name: "a", bytes: new Uint8Array(512) },
    { name: "b", bytes: new Uint8Array(513) },
    { name: "c", target: "b" },
    { name: "d/", folderMode: 0o755 },
  ];
  let size = 0;
  for await (const piece of pack(entries)) size += piece.length;
  equal(packedSize(entries), size);
});
