import assert from "node:assert/strict";
import { completeConfig } from "../config.ts";
import { Hangups } from "./hangups.ts";
import { StopRequests } from "./stop_requests.ts";

const PLAIN = completeConfig({});
const TLS = completeConfig({ tlsCert: "/c", tlsKey: "/k" });

function hangUp(config: typeof PLAIN, hasTerminal: boolean): string {
  const stop = new StopRequests();
  const hangups = new Hangups(stop, { config, hasTerminal });
  let reloads = 0;
  // Before there is a server nothing is to be read again.
  if (config === TLS && !hasTerminal) hangups.arrive();
  hangups.reload = () => reloads++;
  hangups.arrive();
  return `${stop.isRequested ? "stops" : "goes on"}, ${reloads} reloads`;
}

Deno.test("a hangup reloads where there are files and no terminal, and stops elsewhere", () => {
  assert.equal(hangUp(TLS, false), "goes on, 1 reloads");
  assert.equal(hangUp(TLS, true), "stops, 0 reloads");
  assert.equal(hangUp(PLAIN, false), "stops, 0 reloads");
  assert.equal(hangUp(PLAIN, true), "stops, 0 reloads");
});
