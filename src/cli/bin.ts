#!/usr/bin/env node
/**
 * The `larder` program of the npm package.
 *
 * @module
 */

import process from "node:process";
import { runCli } from "./cli.ts";

process.exit(await runCli(process.argv.slice(2)));
