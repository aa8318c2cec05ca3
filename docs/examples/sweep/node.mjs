// The sweep on Node, where @larder/larder is installed:
//
//   node node.mjs 127.0.0.1:28056 4

import { Cache } from "@larder/larder";
import process from "node:process";
import { sweep, work } from "./sweep.mjs";

const [node, self, remote = "127.0.0.1:28056", processes = "4", role] =
  process.argv;
if (role === "work") {
  const cache = await Cache.connect({ remote });
  await work(cache);
  await cache.close();
} else {
  await sweep([node, self, remote, "1", "work"], Number(processes));
}
