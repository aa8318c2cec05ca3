/**
 * How many bytes may be in flight to and from clients.
 *
 * 40 connections that ask for 50 replies of 3 MiB each and never read made
 * 12.5 GB: every reply is complete in memory before its first byte can leave.
 * The bytes are therefore taken here before a value is loaded, and given back
 * when its call has ended.
 *
 * @module
 */

import { CONNECTION_BUDGET_BYTES } from "../limits.ts";
import type { Budget, Grant as Releasable } from "./admission.ts";

/** The share of the budget that only empty-handed connections may take. */
const RESERVED_FRACTION = 1 / 4;

/** The sizes of a {@linkcode MemoryBudget}. */
export interface MemoryBudgetOptions {
  /** For the whole server. */
  readonly totalBytes: number;
  /** For one connection; a single larger value passes when it is alone. */
  readonly connectionBytes?: number;
  /** Somebody waits for room: what is kept without need may go. */
  readonly onShort?: () => void;
}

/** Bytes that were taken, to be given back once. */
export interface Grant extends Releasable, Disposable {
  /** How many are counted. */
  readonly bytes: number;
  /** Gives them back; again has no effect. */
  release(): void;
}

interface Waiter {
  readonly bytes: number;
  readonly grant: (grant: Grant) => void;
}

interface Account {
  readonly connection: object;
  heldBytes: number;
  readonly waiters: Waiter[];
}

/**
 * A budget of bytes in flight that is shared in turn: whoever waits longest is
 * next, each connection has a limit of its own, and a quarter is kept for
 * connections that hold nothing, so that those who take and never read cannot
 * shut out those who read.
 */
export class MemoryBudget implements Budget {
  readonly #totalBytes: number;
  readonly #sharedBytes: number;
  readonly #onShort: () => void;
  readonly #connectionBytes: number;
  /** Connections that hold or want something. */
  readonly #accounts = new Map<object, Account>();
  /** Those that want something; the first is the next in turn. */
  readonly #turns = new Set<Account>();
  #usedBytes = 0;
  /** Whether somebody waits for room, not just for a limit of his own. */
  #roomIsShort = false;

  /**
   * @param sizes How much there is.
   */
  constructor({ totalBytes, connectionBytes, onShort }: MemoryBudgetOptions) {
    this.#onShort = onShort ?? (() => {});
    this.#totalBytes = totalBytes;
    this.#connectionBytes = connectionBytes ?? CONNECTION_BUDGET_BYTES;
    this.#sharedBytes = totalBytes * (1 - RESERVED_FRACTION);
  }

  /** Bytes that are taken. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Whether somebody waits; stalled replies are given less time then. */
  get contended(): boolean {
    return this.#turns.size > 0;
  }

  /**
   * Takes bytes for a reply.
   *
   * @param connection The connection that the reply goes to; only its identity
   * counts.
   * @param bytes How many. More than the whole budget counts as all of it.
   * @param signal Ends the waiting.
   * @returns The grant, at once if there is room.
   */
  take(
    connection: object,
    bytes: number,
    signal?: AbortSignal,
  ): Grant | Promise<Grant> {
    signal?.throwIfAborted();
    const granted = this.takeNow(connection, bytes);
    if (granted) return granted;
    const account = this.#accounts.get(connection) ?? this.#open(connection);
    return this.#wait(account, Math.min(bytes, this.#totalBytes), signal);
  }

  /**
   * Takes bytes if that can be done at once; nothing waits.
   *
   * @param connection The connection that the reply goes to.
   * @param bytes How many.
   * @returns The grant, or `undefined` when it is not its turn.
   */
  takeNow(connection: object, bytes: number): Grant | undefined {
    const counted = Math.min(bytes, this.#totalBytes);
    const account = this.#accounts.get(connection) ?? this.#open(connection);
    const overtakes = this.#roomIsShort || account.waiters.length > 0;
    if (!overtakes && this.#fits(account, counted) === "yes") {
      return this.#grant(account, counted);
    }
    this.#forget(account);
    return undefined;
  }

  #open(connection: object): Account {
    const account: Account = { connection, heldBytes: 0, waiters: [] };
    this.#accounts.set(connection, account);
    return account;
  }

  #wait(
    account: Account,
    bytes: number,
    signal: AbortSignal | undefined,
  ): Grant | Promise<Grant> {
    const { promise, resolve, reject } = Promise.withResolvers<Grant>();
    let granted: Grant | undefined;
    const abort = () => {
      account.waiters.splice(account.waiters.indexOf(waiter), 1);
      if (account.waiters.length === 0) this.#turns.delete(account);
      this.#forget(account);
      // Whoever stood behind may fit.
      this.#serve();
      reject(signal?.reason);
    };
    const waiter: Waiter = {
      bytes,
      grant: (grant) => {
        signal?.removeEventListener("abort", abort);
        granted = grant;
        resolve(grant);
      },
    };
    account.waiters.push(waiter);
    this.#turns.add(account);
    signal?.addEventListener("abort", abort, { once: true });
    // Those who wait may all be held up by limits that are not ours.
    this.#serve();
    if (this.#roomIsShort) this.#onShort();
    return granted ?? promise;
  }

  #fits(account: Account, bytes: number): "yes" | "own limit" | "no" {
    if (account.heldBytes === 0) {
      return this.#usedBytes + bytes <= this.#totalBytes ? "yes" : "no";
    }
    if (account.heldBytes + bytes > this.#connectionBytes) return "own limit";
    return this.#usedBytes + bytes <= this.#sharedBytes ? "yes" : "no";
  }

  #grant(account: Account, bytes: number): Grant {
    account.heldBytes += bytes;
    this.#usedBytes += bytes;
    return new HeldBytes(bytes, () => {
      account.heldBytes -= bytes;
      this.#usedBytes -= bytes;
      this.#forget(account);
      if (this.#turns.size > 0) this.#serve();
    });
  }

  #forget(account: Account): void {
    if (account.heldBytes === 0 && account.waiters.length === 0) {
      this.#accounts.delete(account.connection);
    }
  }

  /** Grants in turn until the next one in turn does not fit. */
  #serve(): void {
    let sharedIsFull = false;
    this.#roomIsShort = false;
    // A Set visits what is added during the visit: one round after another.
    for (const account of this.#turns) {
      const waiter = account.waiters[0];
      const holds = account.heldBytes > 0;
      if (waiter === undefined || (holds && sharedIsFull)) continue;
      const fits = this.#fits(account, waiter.bytes);
      if (fits === "own limit") continue;
      if (fits === "no") {
        this.#roomIsShort = true;
        // Smaller ones behind must not take the room that this one waits for;
        // but what is reserved for the empty-handed is not for this one.
        if (!holds) return;
        sharedIsFull = true;
        continue;
      }
      account.waiters.shift();
      this.#turns.delete(account);
      if (account.waiters.length > 0) this.#turns.add(account);
      waiter.grant(this.#grant(account, waiter.bytes));
    }
  }
}

class HeldBytes implements Grant {
  readonly bytes: number;
  #giveBack: (() => void) | undefined;

  constructor(bytes: number, giveBack: () => void) {
    this.bytes = bytes;
    this.#giveBack = giveBack;
  }

  release(): void {
    const giveBack = this.#giveBack;
    this.#giveBack = undefined;
    giveBack?.();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}
