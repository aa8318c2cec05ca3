/**
 * The real server, whose manifest is sick for one namespace.
 *
 * @module
 */

import { main } from "../../src/main.ts";
import type { Manifest } from "../../src/manifest/manifest.ts";
import { serve } from "../../src/serve.ts";

/** How a manifest is sick. */
export interface Sickness {
  /** Whose entries it is sick over. */
  readonly namespace: string;
  /** What comes of an operation on one of them. */
  readonly instead: () => unknown;
}

/** Runs the command line with such a server; ends the process. */
export async function runSick(
  program: string,
  sickness: Sickness,
): Promise<never> {
  const code = await main(Deno.args, {
    program,
    load: () =>
      Promise.resolve((config, warn) =>
        serve(config, warn, ({ manifest, blobs }) => ({
          manifest: sick(manifest, sickness),
          blobs,
        }))
      ),
  });
  Deno.exit(code);
}

function sick(manifest: Manifest, { namespace, instead }: Sickness): Manifest {
  return new Proxy(manifest, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property);
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => {
        const [entry] = args as [{ readonly namespace?: string } | undefined];
        return entry?.namespace === namespace
          ? instead()
          : member.apply(target, args);
      };
    },
  });
}
