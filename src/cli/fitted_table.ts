/**
 * Tables that are as wide as there is room for.
 *
 * @module
 */

import { table } from "./format.ts";

/** What is done to fit. */
export interface Columns {
  /** How wide a line may be. */
  readonly columns: number;
  /** Those with numbers: they end below each other. */
  readonly right?: readonly number[];
  /** Those that are left out where there is no room, the first one first. */
  readonly droppable: readonly number[];
  /** Whether the first one is cut off where that is not enough. */
  readonly shortens?: boolean;
}

/** What is read of the last column, if there is more, by whoever has no room. */
const LAST_CELLS = 16;
/** Between two columns. */
const GAP_CELLS = 2;
/** The first column is not cut shorter than that. */
const FIRST_CELLS = 4;

/** Rows under each other; lines may still be too long, and are to be cut then. */
export function fittedTable(
  rows: readonly (readonly string[])[],
  { columns, right = [], droppable, shortens = false }: Columns,
): string {
  const widths = widthsOf(rows);
  let kept = widths.map((_, at) => at);
  for (const at of droppable) {
    if (widthOf(kept, widths) <= columns) break;
    kept = kept.filter((each) => each !== at);
  }
  const over = Math.max(0, widthOf(kept, widths) - columns);
  const first = shortens
    ? Math.max(FIRST_CELLS, widths[0]! - over)
    : widths[0]!;
  return table(
    rows.map((row) =>
      kept.map((at) => at === 0 ? cut(row[at]!, first) : row[at]!)
    ),
    right.map((at) => kept.indexOf(at)),
  );
}

function widthsOf(rows: readonly (readonly string[])[]): number[] {
  const [head = []] = rows;
  return head.map((_, at) => Math.max(...rows.map((row) => row[at]!.length)));
}

function widthOf(kept: readonly number[], widths: readonly number[]): number {
  const last = widths.length - 1;
  return kept.reduce((sum, at) => {
    const width = at === last ? Math.min(widths[at]!, LAST_CELLS) : widths[at]!;
    return sum + width + (sum > 0 ? GAP_CELLS : 0);
  }, 0);
}

function cut(cell: string, cells: number): string {
  return cell.length <= cells ? cell : `${cell.slice(0, cells - 1)}…`;
}
