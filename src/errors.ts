/**
 * Every error that may reach a client, as one union with stable codes.
 * `rpc/status.ts` maps the codes to gRPC; nothing here knows of gRPC.
 *
 * @module
 */

/** The stable code of a {@linkcode LarderError}. */
export type ErrorCode =
  /** The id names no live assignment: unknown, superseded or removed. */
  | "invalid-assignment-id"
  /** The id names no handle that was ever given out. */
  | "invalid-handle-id"
  /** The namespace breaks the naming rule, or is a name the root uses. */
  | "invalid-namespace"
  /** The key is larger than the limit. */
  | "key-too-large"
  /** A request that could not be understood. */
  | "invalid-request"
  /** Done was called, but no regular file lies at the assigned path. */
  | "no-file"
  /** The bytes are not those of the digest that came with them. */
  | "wrong-digest"
  /** There is no such entry. */
  | "not-found"
  /** Something that only clients on the same machine can be given. */
  | "not-local"
  /** A value is larger than the limit. */
  | "value-too-large"
  /** The disk, or a quota, is full. */
  | "storage-full"
  /** A file operation failed for another reason. */
  | "storage-failed"
  /** The manifest did not take a write. */
  | "manifest-failed"
  /** The entry is being computed, or somebody reads it. */
  | "in-use"
  /** A bounded queue is full. */
  | "overloaded"
  /** The server is stopping. */
  | "stopping";

/** An error with a stable code and a message that says what to do. */
export class LarderError extends Error {
  /** The stable code. */
  readonly code: ErrorCode;

  /** The message goes to clients as it is: no paths, no stack traces. */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "LarderError";
    this.code = code;
  }
}

/**
 * A request that could not be understood.
 *
 * @param why What is wrong with it.
 * @returns The error, with the code `invalid-request`.
 */
export function invalidRequest(why: string): LarderError {
  return new LarderError("invalid-request", `invalid request: ${why}`);
}

/** A configuration, flag or root the server cannot start with. */
export class StartError extends Error {
  /** 2 for a wrong use of the command line, 1 for everything else. */
  readonly exitCode: 1 | 2;

  /** The message is one line and says what to do. */
  constructor(exitCode: 1 | 2, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "StartError";
    this.exitCode = exitCode;
  }
}

/**
 * What was thrown, in words.
 *
 * @param thrown Anything: JavaScript can throw what is no error.
 * @returns Its message.
 */
export function messageOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  return isOverQuota(thrown)
    ? "EDQUOT: disk quota exceeded, write"
    : thrown.message;
}

/** What Linux says of a quota, for which neither Node nor node:fs of Deno has a word. */
const EDQUOT = -122;
/** How Deno's own calls say it, which give no code. */
const DENO_EDQUOT = "(os error 122)";

/**
 * Whether something could not be written since a share of the disk is used up:
 * that of a user, a project or a subvolume.
 *
 * @param error What a call of the system has thrown.
 * @returns True where that is why.
 */
export function isOverQuota(error: Error): boolean {
  return ("errno" in error && error.errno === EDQUOT) ||
    error.message.includes(DENO_EDQUOT);
}

/** What the system calls a full disk: no space, or a user's share is used up. */
const FULL = ["ENOSPC", "EDQUOT"];

/**
 * Whether something could not be written since there is no room for it.
 *
 * @param thrown What a call of the system has thrown.
 * @returns True where the disk, or a user's share of it, is full.
 */
export function isDiskFull(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  const code = "code" in thrown ? String(thrown.code) : "";
  return FULL.includes(code) || isOverQuota(thrown);
}

/**
 * The system's words alone. Deno adds the call to them: "Permission denied (os
 * error 13): open …".
 *
 * @param thrown What a call of Deno's has thrown.
 * @returns Its message without what Deno added.
 */
export function systemReason(thrown: unknown): string {
  return messageOf(thrown).replace(/ \(os error.*$/s, "");
}
