/**
 * Values as files, on the server's own file system.
 *
 * @module
 */

import { createReadStream, fchmodSync } from "node:fs";
import {
  access,
  constants,
  type FileHandle,
  mkdir,
  open,
} from "node:fs/promises";
import { dirname } from "node:path";
import { isDiskFull, messageOf } from "../errors.ts";
import type { Body, Pieces } from "./backend.ts";
import { CacheError } from "./cache_error.ts";
import { eachPiece } from "./transfer.ts";

const READ_PIECE_BYTES = 256 * 1024;
/**
 * Of what is handed to the server, which may be another user (`--shared`), while
 * a umask may say that what this one makes is nobody else's to read.
 */
const HANDED_OVER_MODE = 0o644;
/** What the system says of a file that would be larger than one may be. */
const TOO_LARGE = /^EFBIG:/;

/**
 * Whether the path that the server has assigned can be written to: it may be
 * another machine's, or another user's.
 *
 * @throws {CacheError} It cannot.
 */
export async function checkAssigned(path: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await access(dirname(path), constants.W_OK | constants.X_OK);
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

/** Writes a value to the path that the server has assigned. */
export async function writeFileAt(path: string, value: Pieces): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(path, "w");
    try {
      fchmodSync(file.fd, HANDED_OVER_MODE);
      for await (const piece of eachPiece(value)) await file.writeFile(piece);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (!isFileError(error)) throw error;
    throw cannotWrite(path, error);
  }
}

/** A value that lies at a path until it is released. */
export async function fileBody(
  path: string,
  release: () => Promise<void>,
): Promise<Body> {
  try {
    const file = await open(path, "r");
    const size = await sizeOf(file);
    return {
      size,
      chunks: () =>
        createReadStream("", {
          fd: file,
          highWaterMark: READ_PIECE_BYTES,
          autoClose: false,
        }),
      async release() {
        await file.close();
        await release();
      },
    };
  } catch (error) {
    await release();
    throw new CacheError(
      "failed",
      `cannot read ${path}: is this the server's machine, and may this user ` +
        `read there? ${messageOf(error)}`,
      { cause: error },
    );
  }
}

function cannotWrite(path: string, cause: unknown): CacheError {
  const what = `cannot write to ${path}: `;
  const why = messageOf(cause);
  return isDiskFull(cause) || TOO_LARGE.test(why)
    ? new CacheError("full", `${what}no room for the value: ${why}`, { cause })
    : new CacheError(
      "failed",
      `${what}is this the server's machine, and its user? ${why}`,
      { cause },
    );
}

/** Of an open file, which is closed when that fails. */
async function sizeOf(file: FileHandle): Promise<number> {
  try {
    return (await file.stat()).size;
  } catch (error) {
    await file.close();
    throw error;
  }
}

function isFileError(error: unknown): error is Error {
  return error instanceof Error && "syscall" in error;
}
