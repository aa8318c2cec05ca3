/**
 * A metric, which is read when it is asked for.
 *
 * @module
 */

/** A line of it. */
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
  /** Its lines now. */
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
