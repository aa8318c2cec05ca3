/**
 * Families of metrics as Prometheus reads them: text format 0.0.4, by
 * prom-client.
 *
 * @module
 */

import { type Metric, Registry } from "prom-client";
import type { Family } from "./family.ts";

/** Makes the text. */
export class Exposition {
  readonly #registry = new Registry();
  #making: Promise<string> | undefined;

  readonly #prepare: () => Promise<void>;

  /** Nothing is read before somebody asks; `prepare` is awaited then. */
  constructor(
    families: readonly Family[],
    prepare: () => Promise<void> = () => Promise.resolve(),
  ) {
    this.#prepare = prepare;
    for (const { name, help, type, read } of families) {
      const metric = {
        name,
        get: () => Promise.resolve({ name, help, type, values: read() }),
      };
      // All that a registry uses of one.
      this.#registry.registerMetric(metric as unknown as Metric);
    }
  }

  /** Its media type. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** As things are now; whoever asks meanwhile gets the same. */
  text(): Promise<string> {
    return this.#making ??= this.#make().finally(() => {
      this.#making = undefined;
    });
  }

  async #make(): Promise<string> {
    await this.#prepare();
    return await this.#registry.metrics();
  }
}
