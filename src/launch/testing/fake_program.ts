/**
 * The real command line and launcher with a fake server, which does what a file
 * in its root says.
 *
 * @module
 */

import type { Address, Config } from "../../config.ts";
import { lockRoot } from "../../root/root_lock.ts";
import { StartError } from "../../errors.ts";
import { main } from "../../main.ts";
import { formatAddress } from "../../config/address.ts";
import type { RunningServer, ServedAddresses } from "../running_server.ts";

/** What the fake server does. */
export type Behaviour =
  | "serve"
  | "refuse-start"
  | "die-at-start"
  | "die-once-at-start"
  | "never-drain"
  | "claim-other-address";

/**
 * Of all that one may put into a root that is still to be served, the files of
 * a desktop can be written.
 */
export const BEHAVIOUR_FILE = "._behaviour";
/** Where it notes each time that it was drained. */
export const DRAINS_FILE = "._drains";

const CLAIMED_ADDRESS = "0.0.0.0:1";

async function serve(config: Config): Promise<RunningServer> {
  const behaviour = await readBehaviour(config.root);
  if (behaviour === "refuse-start") {
    throw new StartError(1, "the fake refuses");
  }
  if (behaviour === "die-once-at-start") {
    await Deno.remove(`${config.root}/${BEHAVIOUR_FILE}`);
  }
  if (behaviour.startsWith("die-")) Deno.kill(Deno.pid, "SIGABRT");
  const { heartbeatIntervalMs, heartbeatTimeoutMs } = config;
  const lock = await lockRoot(config.root);
  await lock.update({ heartbeatIntervalMs, heartbeatTimeoutMs });
  const listeners: Deno.Listener[] = [];
  const closed = Promise.withResolvers<void>();
  function listen(address: Address | undefined): string | undefined {
    if (!address || !("host" in address)) return undefined;
    const { host: hostname, port } = address;
    const listener = Deno.listen({ hostname, port });
    listeners.push(listener);
    answer(listener);
    return formatAddress({ host: hostname, port: listener.addr.port });
  }
  /** Sends the process's id, or does what the caller's first letter says. */
  async function answer(listener: Deno.Listener): Promise<void> {
    for await (const connection of listener) {
      const letter = new Uint8Array(1);
      await connection.read(letter);
      if (letter[0] === "x".charCodeAt(0)) Deno.exit(1);
      await connection.write(new TextEncoder().encode(`${Deno.pid}`));
      connection.close();
    }
  }
  const local = listen(config.local);
  const remote = listen(config.remote);
  if (behaviour === "claim-other-address") {
    const { state } = await Deno.permissions.query({
      name: "net",
      host: CLAIMED_ADDRESS,
    });
    console.log(`fake: ${Deno.pid} ${state}`);
  }
  const addresses: ServedAddresses = {
    ...(local ? { localAddress: local } : {}),
    ...(remote ? { remoteAddress: remote } : {}),
    ...(behaviour === "claim-other-address"
      ? { localAddress: CLAIMED_ADDRESS }
      : {}),
  };
  return {
    ...addresses,
    closed: closed.promise,
    async drain() {
      await Deno.writeTextFile(`${config.root}/${DRAINS_FILE}`, "drain\n", {
        append: true,
      });
      if (behaviour === "never-drain") return;
      for (const listener of listeners) listener.close();
      lock.release();
      closed.resolve();
    },
  };
}

async function readBehaviour(root: string): Promise<Behaviour> {
  try {
    return await Deno.readTextFile(`${root}/${BEHAVIOUR_FILE}`) as Behaviour;
  } catch {
    return "serve";
  }
}

if (import.meta.main) {
  Deno.exit(
    await main(Deno.args, {
      program: import.meta.url,
      load: () => Promise.resolve(serve),
    }),
  );
}
