// The commands of one test file on Node, with the npm package:
// `larder_on_node.mjs PACKAGE SOCKET`.

import process from "node:process";
import { pathToFileURL } from "node:url";
import { host } from "./host.mjs";

const [, , folder, path] = process.argv;
const { larder } = await import(`${pathToFileURL(folder)}/src/npm/larder.js`);
await host(path, larder);
