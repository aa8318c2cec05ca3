import { equal, rejects } from "node:assert/strict";
import { UnchangedFile } from "./unchanged_file.ts";

const SIZE = 1_000_000;
const CHANGED = /changed while it was read, and nothing is kept of it/;

async function withFile(
  run: (path: string, file: UnchangedFile) => Promise<void>,
): Promise<void> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, new Uint8Array(SIZE).fill(7));
    await run(path, new UnchangedFile(path));
  } finally {
    await Deno.remove(path);
  }
}

async function sizeOf(file: UnchangedFile): Promise<number> {
  let size = 0;
  for await (const piece of file.read()) size += piece.length;
  return size;
}

Deno.test("a file that stays is read as often as it is wanted", () =>
  withFile(async (_, file) => {
    for (let time = 0; time < 2; time++) equal(await sizeOf(file), SIZE);
  }));

for (
  const [what, change] of Object.entries({
    "cut short": (path: string) => Deno.truncate(path, 0),
    "appended to": (path: string) =>
      Deno.writeTextFile(path, "more", { append: true }),
    "replaced": async (path: string) => {
      await Deno.writeFile(`${path}.new`, new Uint8Array(SIZE));
      await Deno.rename(`${path}.new`, path);
    },
  })
) {
  Deno.test(`a file that is ${what} between two readings is refused`, () =>
    withFile(async (path, file) => {
      await sizeOf(file);
      await change(path);
      await rejects(sizeOf(file), CHANGED);
    }));
}

Deno.test("a file that is written to while it is read is refused", () =>
  withFile(async (path, file) => {
    await rejects(async () => {
      for await (const _ of file.read()) {
        await Deno.writeTextFile(path, "more", { append: true });
      }
    }, CHANGED);
  }));
