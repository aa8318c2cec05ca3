/**
 * The real server, with a manifest that throws where nothing may be thrown
 * when it is asked for an entry of the namespace `tests.broken`.
 *
 * @module
 */

import { main } from "../../src/main.ts";
import type { Manifest } from "../../src/manifest/manifest.ts";
import { serve } from "../../src/serve.ts";

function breaking(manifest: Manifest): Manifest {
  return new Proxy(manifest, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property);
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => {
        const [entry] = args as [{ readonly namespace?: string } | undefined];
        if (entry?.namespace === "tests.broken") {
          throw new Error("a bug of ours");
        }
        return member.apply(target, args);
      };
    },
  });
}

Deno.exit(
  await main(Deno.args, {
    program: import.meta.url,
    load: () =>
      Promise.resolve((config, warn) =>
        serve(config, warn, ({ manifest, blobs }) => ({
          manifest: breaking(manifest),
          blobs,
        }))
      ),
  }),
);
