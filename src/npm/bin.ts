#!/usr/bin/env node
/**
 * The `larder` program of the npm package: the commands of clients run in this
 * process, those of the server on the Deno that is installed beside it.
 *
 * @module
 */

import process from "node:process";
import { runCli } from "../cli/cli.ts";
import { runOnDeno } from "./on_deno.ts";

const [command, ...words] = process.argv.slice(2);
process.exit(
  command === "serve" || command === "recover"
    ? await runOnDeno(command, words)
    : await runCli(process.argv.slice(2)),
);
