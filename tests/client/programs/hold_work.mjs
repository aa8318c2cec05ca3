// Takes work on and lets it go in every way, then ends without closing: neither
// heartbeats nor the connection may keep the process alive.
//
// MODULE ADDRESS

import process from "node:process";

const [module, remote] = process.argv.slice(2);
const { Cache } = await import(module);

const cache = await Cache.connect({ remote });
await cache.generate("test.ends", "published", () => 1);
await cache.generate("test.ends", "failed", () => {
  throw new Error("failed");
}).catch(() => {});
const { kind } = await cache.claim("test.ends", "held");
console.log(kind);
