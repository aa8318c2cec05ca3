/**
 * Calls with something odd about them are answered, each as it deserves.
 *
 * @module
 */

import assert from "node:assert/strict";
import { RawClient } from "../support/raw_client.ts";
import { eachOf } from "../support/waiting.ts";
import type { RudeCase, RudeKind } from "./arena.ts";
import { ODD_BODIES, ODD_NAMES } from "./odd_bodies.ts";
import { endingOf, type OddCall } from "./odd_calls.ts";
import { ODD_HEADERS, ODD_TIMEOUTS } from "./odd_headers.ts";
import { sendWindowed } from "./windowed.ts";

const TIMES = 5;

function ended({ name, sent, ending }: OddCall): RudeCase {
  return {
    name,
    run: ({ port }) =>
      eachOf(TIMES, TIMES, async () => {
        using client = await RawClient.greeted(port);
        await sendWindowed(client, sent);
        const outcome = await client.outcome(1);
        const message = outcome.fields.get("grpc-message");
        assert.equal(endingOf(outcome), ending, `it says ${message}`);
      }),
  };
}

/** The kind. */
export const ODD_CALLS: RudeKind = {
  name: "odd headers, timeouts, bodies and names are answered",
  cases: [...ODD_HEADERS, ...ODD_TIMEOUTS, ...ODD_BODIES, ...ODD_NAMES].map(
    ended,
  ),
};
