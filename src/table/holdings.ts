/**
 * How many of something each owner has.
 *
 * @module
 */

import type { Id } from "./types.ts";

/** The name of an owner; `undefined`: those without one, together. */
export type Owner = string | undefined;

/** Things by their ids, counted by whose they are. */
export class Holdings {
  readonly #owners = new Map<Id, Owner>();
  readonly #counts = new Map<Owner, number>();

  /** How many there are. */
  get size(): number {
    return this.#owners.size;
  }

  /** Whether one counts. */
  has(id: Id): boolean {
    return this.#owners.has(id);
  }

  /** How many somebody has. */
  of(owner: Owner): number {
    return this.#counts.get(owner) ?? 0;
  }

  /** One counts from now on. */
  add(id: Id, owner: Owner): void {
    this.remove(id);
    this.#owners.set(id, owner);
    this.#counts.set(owner, this.of(owner) + 1);
  }

  /** It counts no more. */
  remove(id: Id): void {
    if (!this.#owners.has(id)) return;
    const owner = this.#owners.get(id);
    this.#owners.delete(id);
    const left = this.of(owner) - 1;
    if (left === 0) this.#counts.delete(owner);
    else this.#counts.set(owner, left);
  }
}
