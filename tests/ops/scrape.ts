/**
 * Metrics as Prometheus reads them.
 *
 * @module
 */

import assert from "node:assert/strict";

/** What a server told of itself at one moment. */
export class Scrape {
  /** The text itself. */
  readonly text: string;
  readonly #values = new Map<string, number>();

  /** Of a text. */
  constructor(text: string) {
    this.text = text;
    for (const line of text.split("\n")) {
      if (line === "" || line.startsWith("#")) continue;
      const at = line.lastIndexOf(" ");
      const series = line.slice(0, at);
      assert.ok(!this.#values.has(series), `${series} is there twice`);
      this.#values.set(series, Number(line.slice(at + 1)));
    }
  }

  /** Asks a server. */
  static async of(address: string): Promise<Scrape> {
    const response = await fetch(`http://${address}/metrics`);
    assert.equal(response.status, 200);
    assert.equal(
      response.headers.get("content-type"),
      "text/plain; version=0.0.4; charset=utf-8",
    );
    return new Scrape(await response.text());
  }

  /** The value of a series, written as in the text; 0 where it is absent. */
  value(series: string): number {
    return this.#values.get(series) ?? 0;
  }

  /** Calls of a method that ended so. */
  calls(service: string, method: string, code = "OK"): number {
    const labels = `service="${service}",method="${method}",code="${code}"`;
    return this.value(`larder_calls_total{${labels}}`);
  }

  /** All series of a name, by their labels. */
  all(name: string): Record<string, number> {
    return Object.fromEntries(
      [...this.#values].filter(([series]) => series.startsWith(`${name}{`))
        .map(([series, value]) => [series.slice(name.length), value]),
    );
  }
}
