/** `larder verify`. @module */

import { Sha256 } from "../../../workers/digest.ts";
import { CacheError } from "../../client/cache_error.ts";
import { type Command, NAMESPACE_OPTION, QUIET_OPTION } from "../command.ts";
import { FAILED, OK } from "../exit_codes.ts";
import { count, formatKey, formatSize, toHex } from "../format.ts";
import { infoJson } from "../info_json.ts";
import { print, printJson, ProgressLine } from "../output.ts";
import { addressesOf } from "../addresses.ts";
import { givenPattern, patternOf } from "../namespace.ts";
import type { StoredEntry } from "../../client/catalog.ts";
import { Server } from "../server.ts";
import { entriesOf } from "./ls.ts";

/** Reads every value, and says which are damaged. */
export const verify: Command = {
  name: "verify",
  usage: "[NS]",
  summary: "read every value and check it; exit code 1 if one is damaged",
  options: [NAMESPACE_OPTION, QUIET_OPTION],
  details: [
    "Reading counts as use: the values of a server that evicts the least",
    "recently used keep their order among themselves only roughly.",
  ],
  async run(words) {
    const pattern = patternOf(givenPattern(words));
    await using server = await Server.at(addressesOf(words));
    const check = new Check(server, (await server.state()).damaged);
    const isJson = words.has("json");
    const isQuiet = words.has("quiet");
    using progress = new ProgressLine("larder: verify", {
      isOn: !isJson && !isQuiet,
    });
    const damaged: Record<string, unknown>[] = [];
    let entries = 0;
    let bytes = 0;
    for await (const info of entriesOf(server, pattern)) {
      if (info.status !== "ready") continue;
      const why = await check.of(info);
      if (why !== undefined) {
        damaged.push({ ...infoJson(info), why });
        progress[Symbol.dispose]();
        if (!isJson) {
          await print(
            `damaged: ${info.namespace} ${formatKey(info.key)}: ${why}\n`,
          );
        }
      }
      entries++;
      bytes += info.size;
      progress.show(`${count(entries, "value")}, ${formatSize(bytes)}`);
    }
    progress[Symbol.dispose]();
    if (isJson) await printJson({ entries, bytes, damaged });
    else if (!isQuiet) {
      await print(
        `${count(entries, "value")}, ${formatSize(bytes)}: ` +
          `${damaged.length === 0 ? "none" : damaged.length} damaged\n`,
      );
    }
    return damaged.length === 0 ? OK : FAILED;
  },
};

/** Checks one value after the other. */
class Check {
  readonly #server: Server;
  /** How many the server has found itself: it does not hand out what it finds. */
  #found: number;

  constructor(server: Server, found: number) {
    this.#server = server;
    this.#found = found;
  }

  /** What is wrong with a value; `undefined`: nothing, or it is gone. */
  async of(info: StoredEntry): Promise<string | undefined> {
    const { namespace, key } = info;
    const claim = await this.#server.cache.ask(
      { namespace, key, assign: false, wait: false, fromDisk: true },
      {},
    );
    if (claim.kind !== "ready") {
      const { damaged } = await this.#server.state();
      const hasFound = damaged > this.#found;
      this.#found = damaged;
      if (hasFound) return "the server has found it so, and put it aside";
      const now = await this.#server.stat(info);
      return now?.status === "ready" ? "it cannot be read" : undefined;
    }
    const { body } = claim;
    try {
      const hash = new Sha256();
      let size = 0;
      for await (const piece of body.chunks()) {
        hash.update(piece);
        size += piece.length;
      }
      if (size !== info.size) return `${size} bytes instead of ${info.size}`;
      return hash.hex() === toHex(info.sha256)
        ? undefined
        : "its SHA-256 is another one";
    } catch (error) {
      // A server that is gone has damaged nothing.
      if (await this.#hasGone()) throw error;
      if (!(error instanceof CacheError)) throw error;
      return error.message;
    } finally {
      await body.release();
    }
  }

  async #hasGone(): Promise<boolean> {
    return await this.#server.state().then(() => false, () => true);
  }
}
