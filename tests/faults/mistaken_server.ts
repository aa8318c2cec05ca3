/**
 * The real server with a manifest that throws where a promise is expected, for
 * entries of the namespace `mistaken`.
 *
 * @module
 */

import { main } from "../../src/main.ts";
import { serve, type Stores } from "../../src/serve.ts";

function wrap({ manifest, blobs }: Stores): Stores {
  const find = manifest.find.bind(manifest);
  manifest.find = (entry) => {
    if (entry.namespace !== "mistaken") return find(entry);
    throw new Error("a mistake of the store");
  };
  return { manifest, blobs };
}

Deno.exit(
  await main(Deno.args, {
    program: import.meta.url,
    load: () => Promise.resolve((config, warn) => serve(config, warn, wrap)),
  }),
);
