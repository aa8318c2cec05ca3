/**
 * The real server with stores of which one step fails.
 *
 * `refusing_server.ts CONTROL serve --confined …`: while the file CONTROL says
 * `blobs.put`, every put is refused, with an error that names it.
 *
 * @module
 */

import { main } from "../../src/main.ts";
import { serve, type Stores } from "../../src/serve.ts";

const [control, ...args] = Deno.args as [string, ...string[]];

function refusing<T extends object>(store: T, name: string): T {
  return new Proxy(store, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property);
      if (property === "local") return refusing(member as object, "local");
      if (typeof member !== "function") return member;
      const step = `${name}.${String(property)}`;
      return (...args: unknown[]) => {
        if (Deno.readTextFileSync(control) === step) {
          return Promise.reject(new Error(`a fault at ${step}`));
        }
        return member.apply(target, args);
      };
    },
  });
}

function wrap({ manifest, blobs }: Stores): Stores {
  return {
    manifest: refusing(manifest, "manifest"),
    blobs: refusing(blobs, "blobs"),
  };
}

Deno.exit(
  await main(args, {
    program: import.meta.url,
    load: () => Promise.resolve((config, warn) => serve(config, warn, wrap)),
  }),
);
