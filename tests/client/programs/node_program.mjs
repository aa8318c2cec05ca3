// What a program on Node does with the npm package; says each step.
//
// KIND ADDRESS: the listener that is talked to

import process from "node:process";
import { Cache } from "@larder/larder";

const [kind, address] = process.argv.slice(2);
const cache = await Cache.connect({ [kind]: address, patienceMs: 60_000 });

const first = await cache.generateDetailed("node.p", { a: 1 }, () => [1, 2]);
console.log("computed", first.source);
const second = await cache.generateDetailed("node.p", { a: 1 }, () => [3]);
console.log("found", second.source);

let runs = 0;
const count = () => ++runs;
await Promise.all([1, 2].map(() => cache.generate("node.p", "once", count)));
console.log("shared", runs);

async function* pieces() {
  for (let at = 0; at < 3; at++) yield new Uint8Array(1_000_000);
}
await cache.setStream("node.p", "large", pieces());
let bytes = 0;
for await (const piece of await cache.getStream("node.p", "large")) {
  bytes += piece.length;
}
console.log("streamed", bytes);

// Published when the server has gone and is not back yet.
const { source } = await cache.generateDetailed("node.p", "slow", () => {
  console.log("computing");
  return new Promise((resolve) => setTimeout(() => resolve(1), 300));
});
console.log("after the restart", source);
