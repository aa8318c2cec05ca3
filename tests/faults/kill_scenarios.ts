/**
 * All that a server is killed in the middle of: each step of publishing and of
 * taking away lies in one of these.
 *
 * @module
 */

import {
  prepareAbandon,
  prepareDamage,
  prepareDelete,
  prepareStop,
  prepareTakeover,
} from "./ending_scenarios.ts";
import type { Scenario } from "./kill_site.ts";
import { prepareDone, prepareGet, prepareSet } from "./publish_scenarios.ts";

const SMALL_BYTES = 1_000;
/** In several slices; a file of this size is hashed where it lies. */
const LARGE_BYTES = 3 * 2 ** 20;

/** Scenarios of servers with the same flags. */
export interface Group {
  readonly name: string;
  readonly flags: readonly string[];
  readonly scenarios: readonly Scenario[];
}

const SET: Scenario = {
  name: "Set",
  prepare: (site) => prepareSet(site, SMALL_BYTES),
};
const DONE: Scenario = {
  name: "Done",
  prepare: (site) => prepareDone(site, SMALL_BYTES),
};

/** The scenarios, by the flags of the server. */
export const GROUPS: readonly Group[] = [
  {
    name: "as it is by default",
    flags: [],
    scenarios: [
      { name: "Get", prepare: prepareGet },
      SET,
      {
        name: "Set of 3 MiB",
        prepare: (site) => prepareSet(site, LARGE_BYTES),
      },
      DONE,
      {
        name: "Done of 3 MiB",
        prepare: (site) => prepareDone(site, LARGE_BYTES),
      },
      { name: "quarantine", prepare: prepareDamage },
      { name: "eviction", prepare: prepareDelete },
      { name: "a clean stop", prepare: prepareStop },
    ],
  },
  {
    name: "with strict durability",
    flags: ["--durability=strict"],
    scenarios: [SET, DONE],
  },
  {
    // They end while a test waits.
    name: "with short leases",
    flags: ["--heartbeat-interval=50ms", "--heartbeat-timeout=100ms"],
    scenarios: [
      { name: "taking over", prepare: prepareTakeover },
      { name: "giving up", prepare: prepareAbandon },
    ],
  },
];
