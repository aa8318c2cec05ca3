// The commands of one test file on Node, with the npm package:
// `larder_on_node.mjs PACKAGE SOCKET`.

import process from "node:process";
import { pathToFileURL } from "node:url";
import { host } from "./host.mjs";

const [, , folder, path] = process.argv;
const commands = `${pathToFileURL(folder)}/src/cli`;
// As src/npm/bin.ts does, which ends its process.
const { asked } = await import(`${commands}/asked.js`);
const { runCli } = await import(`${commands}/cli.js`);
await host(path, (args) => runCli(asked(args)));
