/**
 * The real server, whose manifest never answers for the namespace `tests.hung`,
 * as if its disk hung.
 *
 * @module
 */

import { main } from "../../src/main.ts";
import type { Manifest } from "../../src/manifest/manifest.ts";
import { serve } from "../../src/serve.ts";

function hanging(manifest: Manifest): Manifest {
  return new Proxy(manifest, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property);
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => {
        const [entry] = args as [{ readonly namespace?: string } | undefined];
        return entry?.namespace === "tests.hung"
          ? new Promise(() => {})
          : member.apply(target, args);
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
          manifest: hanging(manifest),
          blobs,
        }))
      ),
  }),
);
