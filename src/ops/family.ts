/**
 * A metric, which is read when it is asked for.
 *
 * @module
 */

/** One line of a metric in the text for Prometheus. */
export interface Sample {
  /** Of a histogram's parts. */
  readonly metricName?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric of one name. */
export interface Family {
  readonly name: string;
  /** For people. */
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  /** Makes its lines with the present values. */
  readonly read: () => readonly Sample[];
}

/** A metric of one number. */
export function single(
  type: "counter" | "gauge",
  name: string,
  help: string,
  read: () => number,
): Family {
  return { type, name, help, read: () => [{ value: read() }] };
}
