/**
 * Lets a server fail at each place of a scenario, and looks what it makes of it:
 * it is killed and started again, or goes on.
 *
 * @module
 */

import { temporaryFolder } from "../../src/launch/testing/program.ts";
import type { ServerProcess } from "../support/server_process.ts";
import { until } from "../support/status.ts";
import type { Group } from "./kill_scenarios.ts";
import { type Prepared, type Scenario, Site } from "./kill_site.ts";
import { assertTidy, withoutUnowned } from "./stopped_root.ts";

/** How long a place may be behind the reply, before it is one not come by. */
const BEHIND_MS = 2_000;
/** How long a call may outlive the server that it was made to. */
const DEAD_MS = 10_000;
/** Nobody but the test asks: whoever comes back may be late. */
const GRACE = "--restart-grace=100ms";
/** A place is a call of a thread: which of several has the work differs by run. */
const ONE_WORKER = "--workers=1";

/** A way to let a server fail at a chosen place. */
export interface Fault<Place> {
  /** Whether the server dies of it; else a call may fail, as this checks. */
  readonly deadly: true | ((failure: unknown) => void);
  /** Starts a server that can fail this way. */
  start(root: string, args: readonly string[]): Promise<ServerProcess>;
  /** Runs something beside a server, and returns the places that it comes by. */
  places(
    server: ServerProcess,
    act: () => Promise<void>,
  ): Promise<readonly Place[]>;
  /** From now on the server fails when it comes by the place. */
  arm(server: ServerProcess, place: Place): Promise<AsyncDisposable>;
  /** The place, for people. */
  describe(place: Place): string;
}

/** What a sweep has done in one scenario. */
export interface Swept {
  readonly scenario: string;
  /** How many places the scenario has. */
  readonly places: number;
  /** How many of them were tried. */
  readonly tried: number;
  /** At how many of those the server died. */
  readonly killed: number;
}

/**
 * Runs each scenario once whole, and once for each place that `choose` chooses,
 * with a kill there; all on the same root.
 */
export async function sweep<Place>(
  fault: Fault<Place>,
  { flags, scenarios }: Group,
  choose: (places: readonly Place[], scenario: Scenario) => readonly Place[] = (
    all,
  ) => all,
): Promise<Swept[]> {
  await using folder = await temporaryFolder();
  const start = () => fault.start(folder.path, [GRACE, ONE_WORKER, ...flags]);
  const swept: Swept[] = [];
  let server = await start();
  let runs = 0;
  try {
    for (const scenario of scenarios) {
      const places: Place[] = [];
      await run(scenario, async (act) => {
        places.push(...await fault.places(server, act));
        return true;
      });
      const chosen = choose(places, scenario);
      let killed = 0;
      for (const place of chosen) {
        await run(scenario, async (act) => {
          const arm = () => fault.arm(server, place);
          const told = await actAndFail(server, act, { ...fault, arm });
          if (server.hasEnded) killed++;
          // It must not die of it later, in the next run.
          else if (fault.deadly === true) await server.kill();
          return told;
        }).catch((cause) => {
          const where = `${scenario.name}, failing ${fault.describe(place)}`;
          throw new Error(where, { cause });
        });
      }
      const [all, tried] = [places.length, chosen.length];
      swept.push({ scenario: scenario.name, places: all, tried, killed });
    }
    await server[Symbol.asyncDispose]();
    server = await start();
    await withoutUnowned(folder.path);
    await server[Symbol.asyncDispose]();
    assertTidy(folder.path);
    return swept;
  } finally {
    await server[Symbol.asyncDispose]();
  }

  /** `upTo` tells whether `act` came to its end; it may end the server. */
  async function run(
    { prepare }: Scenario,
    upTo: (act: Prepared["act"]) => Promise<boolean>,
  ): Promise<void> {
    using site = new Site(server, `run.n${runs++}`);
    if (fault.deadly !== true) await givesOutWork(site);
    const { act, look } = await prepare(site);
    const told = await upTo(act);
    if (server.hasEnded) server = await start();
    using after = new Site(server, site.namespace);
    await look(after, told);
  }
}

/** A server that has just failed may give out no work for a moment. */
async function givesOutWork({ remote, namespace }: Site): Promise<void> {
  const { assign } = await until(
    () => remote.get(namespace, "before"),
    ({ assign }) => assign !== undefined,
  );
  await remote.set(assign!.id, "");
}

/** True: the act came to its end, though its server may have ended later. */
async function actAndFail(
  server: ServerProcess,
  act: Prepared["act"],
  { deadly, arm }: Pick<Fault<unknown>, "deadly"> & {
    readonly arm: () => Promise<AsyncDisposable>;
  },
): Promise<boolean> {
  await using _ = await arm();
  let failure: unknown;
  const told = await act().then(() => true, (error) => {
    failure = error;
    return false;
  });
  if (deadly === true) {
    await endWithin(server, told ? BEHIND_MS : DEAD_MS);
    if (!server.hasEnded && !told) throw failure;
  } else if (!told) deadly(failure);
  return told;
}

async function endWithin(
  server: ServerProcess,
  limitMs: number,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, limitMs);
  await Promise.race([server.ended, promise]);
  clearTimeout(timer);
}
