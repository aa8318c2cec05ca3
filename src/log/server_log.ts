/**
 * Where the lines of launcher and server go to.
 *
 * @module
 */

import { systemClock } from "../clock.ts";
import { type Log, type LogFormat, logLine } from "./log.ts";

/** A log on stderr, without colours: it may be a file or a service manager's. */
export function serverLog(format: LogFormat): Log {
  return (message, facts = {}) => {
    const wallMs = systemClock.wallMs();
    console.error("%s", logLine(message, facts, { format, wallMs }));
  };
}
