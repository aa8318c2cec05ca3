#!/usr/bin/env node
/**
 * The `larder` program of the npm package.
 *
 * @module
 */

import process from "node:process";
import { larder } from "./larder.ts";

process.exit(await larder(process.argv.slice(2)));
