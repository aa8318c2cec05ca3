/**
 * What a disk, or a hand, may do to a file.
 *
 * @module
 */

/** Ways to damage a file that has at least one byte. */
export const DAMAGES = [
  "flip",
  "truncate",
  "append",
  "empty",
  "replace",
  "remove",
] as const;
/** A way to damage a file. */
export type Damage = typeof DAMAGES[number];

/** Damages a file that has at least one byte. */
export async function damageFile(path: string, damage: Damage): Promise<void> {
  if (damage === "remove") return await Deno.remove(path);
  // Values are read-only, which a disk does not care about.
  await Deno.chmod(path, 0o644);
  const { size } = await Deno.stat(path);
  switch (damage) {
    case "flip":
      return await flipBit(path, size >> 1);
    case "truncate":
      return await Deno.truncate(path, size - 1);
    case "append":
      return await Deno.writeFile(path, Uint8Array.of(0), { append: true });
    case "empty":
      return await Deno.truncate(path, 0);
    case "replace": {
      // As many bytes, in another file.
      const bytes = await Deno.readFile(path);
      await Deno.remove(path);
      return await Deno.writeFile(path, bytes.map((byte) => byte ^ 0xff));
    }
  }
}

/**
 * Flips a bit in place, a second after the file was last changed.
 *
 * @param path The file.
 * @param at The position of the byte.
 */
export async function flipBit(path: string, at: number): Promise<void> {
  using file = await Deno.open(path, { read: true, write: true });
  const byte = new Uint8Array(1);
  await file.seek(at, Deno.SeekMode.Start);
  await file.read(byte);
  byte[0]! ^= 1;
  await file.seek(at, Deno.SeekMode.Start);
  await file.write(byte);
}
