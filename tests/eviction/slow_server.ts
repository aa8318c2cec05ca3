/**
 * The real server on a disk that takes its time to remove files.
 *
 * `slow_server.ts MILLISECONDS serve --confined …`
 *
 * @module
 */

import { main } from "../../src/main.ts";
import { serve, type Stores } from "../../src/serve.ts";

const [milliseconds, ...args] = Deno.args as [string, ...string[]];

function slow(blobs: Stores["blobs"]): Stores["blobs"] {
  return new Proxy(blobs, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property);
      if (typeof member !== "function") return member;
      if (property !== "remove") return member.bind(target);
      return async (name: string) => {
        await new Promise((resolve) => setTimeout(resolve, +milliseconds));
        return await target.remove(name);
      };
    },
  });
}

Deno.exit(
  await main(args, {
    program: import.meta.url,
    load: () =>
      Promise.resolve((config, warn) =>
        serve(config, warn, ({ manifest, blobs }) => ({
          manifest,
          blobs: slow(blobs),
        }))
      ),
  }),
);
