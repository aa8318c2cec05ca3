/**
 * What the callers of one name have under way, whatever the rules say of them
 * meanwhile.
 *
 * @module
 */

import { Pace } from "./pace.ts";

/** Somebody who calls, by whatever token. */
export class Principal {
  /** Calls that are under way. */
  calls = 0;
  /** What they send. */
  readonly uploads = new Pace();
}

/** All of them, by their names. */
export class Principals {
  readonly #all = new Map<string, Principal>();

  /** The one of that name. */
  of(name: string): Principal {
    let principal = this.#all.get(name);
    if (principal === undefined) {
      this.#all.set(name, principal = new Principal());
    }
    return principal;
  }

  /** Forgets those of other names who have nothing under way. */
  keep(names: ReadonlySet<string>): void {
    for (const [name, { calls }] of this.#all) {
      if (calls === 0 && !names.has(name)) this.#all.delete(name);
    }
  }
}
