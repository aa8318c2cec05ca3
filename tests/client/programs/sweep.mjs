// Computes many values at once, with a signal that all calls share. Node warns on
// stderr of more than ten listeners to one signal.
//
// MODULE ADDRESS

import process from "node:process";

const [module, remote] = process.argv.slice(2);
const { Cache } = await import(module);
const cache = await Cache.connect({ remote });
const { signal } = new AbortController();
const points = Array.from({ length: 30 }, (_, point) => point);
const options = { signal };
const values = await Promise.all(
  points.map((point) =>
    cache.generate("tests.sweep", { point }, () => point * 2, options)
  ),
);
const again = await Promise.all(
  points.map((point) => cache.get("tests.sweep", { point }, options)),
);
const streams = await Promise.all(
  points.map((point) => cache.getStream("tests.sweep", { point }, options)),
);
for (const stream of streams) await stream.cancel();
console.log(JSON.stringify([values, again]));
await cache.close();
