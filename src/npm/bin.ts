#!/usr/bin/env node
/**
 * The `larder` program of the npm package: the commands of clients run in this
 * process, those of the server on the Deno that is installed beside it.
 *
 * @module
 */

import process from "node:process";
import { asked } from "../cli/asked.ts";
import { runCli } from "../cli/cli.ts";
import { runOnDeno } from "./on_deno.ts";

const args = asked(process.argv.slice(2));
const [command, ...words] = args;
process.exit(
  command === "serve" || command === "recover"
    ? await runOnDeno(command, words)
    : await runCli(args),
);
