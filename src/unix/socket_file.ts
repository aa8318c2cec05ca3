/**
 * What is at the path of a Unix domain socket: ours, another server's, or what a
 * server has left that was killed.
 *
 * @module
 */

/** The file of one socket: what takes its place is another one. */
export interface NamedSocket {
  readonly dev: number;
  readonly ino: number | null;
  readonly changedMs: number;
}

/** Something is at the path that is to stay. */
export class SocketTaken extends Error {
  /** What: a server that answers, no socket at all, or one that says neither. */
  readonly by: "server" | "file" | "unknown";

  constructor(by: SocketTaken["by"], options?: ErrorOptions) {
    super("the path is taken", options);
    this.by = by;
  }
}

/** What is there; `undefined`: nothing. */
export function socketAt(path: string): NamedSocket | undefined {
  const info = lstat(path);
  return info && { dev: info.dev, ino: info.ino, changedMs: changedMs(info) };
}

/** Whether what is there is that socket, whatever its permission bits are now. */
export function isAt(path: string, socket: NamedSocket | undefined): boolean {
  const info = lstat(path);
  return info !== undefined && socket !== undefined && info.isSocket === true &&
    info.dev === socket.dev && info.ino === socket.ino;
}

/**
 * Removes a socket that nobody serves any more.
 *
 * @throws {SocketTaken} It is none, or may be served.
 */
export async function removeStale(path: string): Promise<void> {
  const found = lstat(path);
  if (found === undefined) return;
  if (!found.isSocket) throw new SocketTaken("file");
  const refused = await refusal(path);
  if (refused === undefined) throw new SocketTaken("server");
  if (!(refused instanceof Deno.errors.ConnectionRefused)) {
    // It has gone: it has been removed meanwhile.
    if (refused instanceof Deno.errors.NotFound) return;
    throw new SocketTaken("unknown", { cause: refused });
  }
  // Another server may have put its own there while we asked.
  const now = lstat(path);
  if (now === undefined) return;
  if (now.ino !== found.ino || changedMs(now) !== changedMs(found)) {
    throw new SocketTaken("server");
  }
  Deno.removeSync(path);
}

/** What a connection fails with; `undefined`: it does not. */
async function refusal(path: string): Promise<unknown> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return undefined;
  } catch (error) {
    return error;
  }
}

function lstat(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function changedMs({ ctime, mtime }: Deno.FileInfo): number {
  return (ctime ?? mtime)?.getTime() ?? 0;
}
