/**
 * The real server with stores that kill it before or after a named step.
 *
 * `failing_server.ts CONTROL serve --confined …`: while there is a file CONTROL
 * that says `record`, each step is written to CONTROL.log; one that says
 * `before blobs.put` is what the server dies of.
 *
 * @module
 */

import { main } from "../../src/main.ts";
import { serve, type Stores } from "../../src/serve.ts";

const [control, ...args] = Deno.args as [string, ...string[]];

/** A step of a store, seen from outside. */
function pass(step: string): void {
  let order: string;
  try {
    order = Deno.readTextFileSync(control);
  } catch {
    return;
  }
  if (order === step) Deno.kill(Deno.pid, "SIGKILL");
  if (order === "record") {
    Deno.writeTextFileSync(`${control}.log`, `${step}\n`, { append: true });
  }
}

/** Passes before and after everything that a store does. */
function watched<T extends object>(store: T, name: string): T {
  return new Proxy(store, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property);
      if (property === "local") return watched(member as object, "local");
      if (typeof member !== "function") return member;
      const step = `${name}.${String(property)}`;
      return (...args: unknown[]) => {
        pass(`before ${step}`);
        const result = member.apply(target, args);
        if (!(result instanceof Promise)) return result;
        return result.then((value) => {
          pass(`after ${step}`);
          return value;
        });
      };
    },
  });
}

function wrap({ manifest, blobs }: Stores): Stores {
  return {
    manifest: watched(manifest, "manifest"),
    blobs: watched(blobs, "blobs"),
  };
}

Deno.exit(
  await main(args, {
    program: import.meta.url,
    load: () => Promise.resolve((config, warn) => serve(config, warn, wrap)),
  }),
);
