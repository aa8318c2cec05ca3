/**
 * The dashboard's file, and what it asks of Prometheus.
 *
 * @module
 */

const FILE = new URL("../../docs/monitoring/dashboard.json", import.meta.url);

interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly targets: readonly { readonly expr: string }[];
  }[];
}

/** What a panel asks. */
export interface Asking {
  /** The panel. */
  readonly title: string;
  /** In PromQL, as it is sent: without the dashboard's variables. */
  readonly expr: string;
}

/** All that the dashboard asks, with rates over that time. */
export function askings(range = "5m"): Asking[] {
  const { panels }: Dashboard = JSON.parse(Deno.readTextFileSync(FILE));
  return panels.flatMap(({ title, targets }) =>
    targets.map(({ expr }) => ({
      title,
      expr: expr.replaceAll("$instance", ".*").replaceAll(/\$__\w+/g, range),
    }))
  );
}
