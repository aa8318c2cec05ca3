/**
 * What `larder top` shows: the sections of a screen, and how they share it.
 *
 * @module
 */

import { count, formatSize, formatSpan, table, withSizes } from "./format.ts";
import { type Columns, fittedTable } from "./fitted_table.ts";
import type { Fill, Happening, Picture } from "./picture.ts";

/** How much there is room for. */
export interface Room {
  readonly columns: number;
  readonly rows: number;
}

/** Lines under a heading; the least important are the last. */
interface Section {
  readonly lines: readonly string[];
  /** How many more there are than lines. */
  readonly unseen: number;
}

/** What each section gets of a small screen before the first gets more. */
const FAIR_LINES = 4;
/** A heading, one line, and how many there are beside: less says nothing. */
const FEWEST_LINES = 3;
/** On fewer rows than that no line is left empty. */
const ROOMY_ROWS = 10;
/** On fewer columns than that the head has no columns of its own. */
const ROOMY_COLUMNS = 60;
/** What people read in a file or a pipe; programs ask for `--json`. */
export const PAPER_COLUMNS = 200;
/** How long the bar of a limit is. */
const BAR_CELLS = 10;
/** From here on a limit is said to be nearly full. */
const NEARLY = 0.9;

/**
 * Draws a picture.
 *
 * @param picture What the server said.
 * @param before The picture before it, for what happens in a second.
 * @param room Into how much; lines are cut, and sections shortened.
 * @returns The lines.
 */
export function topScreen(
  picture: Picture,
  before: Picture | undefined,
  room: Room,
): string[] {
  const { columns } = room;
  const sections = [
    underWay(picture, columns),
    fills(picture.fills, columns),
    lately(picture.lately, columns),
    namespaces(picture, columns),
  ].filter(({ lines }) => lines.length > 1);
  const head = headOf(picture, before, {
    columns,
    rows: room.rows - fewest(sections[0], room.rows),
  });
  const gap = room.rows < ROOMY_ROWS ? [] : [""];
  const shares = shared(sections, {
    rows: room.rows - head.length,
    gap: gap.length,
  });
  const lines = [
    ...head,
    ...sections.flatMap((section, at) =>
      shortened(section, { share: shares[at]!, gap })
    ),
  ];
  return lines.slice(0, room.rows).map((line) => clip(line, columns));
}

/** What is kept for the most important section, where that leaves anything. */
function fewest(section: Section | undefined, rows: number): number {
  const lines = section ? Math.min(FEWEST_LINES, heightOf(section)) : 0;
  return rows > lines + 1 ? lines : 0;
}

function headOf(
  { phase, status }: Picture,
  before: Picture | undefined,
  { columns, rows }: Room,
): string[] {
  const { hits, misses, savedMs, trouble } = status;
  const asked = hits + misses;
  const share = asked === 0 ? "-" : `${Math.floor(100 * hits / asked)} %`;
  const seconds = before ? (status.upMs - before.status.upMs) / 1_000 : 0;
  const more = before ? asked - before.status.hits - before.status.misses : 0;
  // Another process begins anew.
  const rate = seconds > 0 && more >= 0
    ? `, ${Math.round(more / seconds)} a second`
    : "";
  const isRoomy = columns >= ROOMY_COLUMNS;
  const server = isRoomy ? `larder ${status.version}, ` : "";
  const lines: { readonly rank: number; readonly words: string[] }[] = [
    {
      rank: 4,
      words: ["server", `${server}${phase}, up for ${formatSpan(status.upMs)}`],
    },
    {
      rank: 3,
      words: [
        "kept",
        `${formatSize(status.bytes)}, ` +
        count(status.entries, "entry", "entries"),
      ],
    },
    {
      rank: 2,
      words: [
        "found",
        `${share} of ${count(asked, "request")}${rate}, saved ` +
        formatSpan(savedMs),
      ],
    },
    {
      rank: 1,
      words: [
        "under way",
        `${status.loading} computed, ${status.publishing} published, ` +
        `${status.waiting} waiting, ${count(status.handles, "file")} in use`,
      ],
    },
    {
      rank: 5,
      words: [
        "gone",
        `${status.evictedEntries} evicted (${
          formatSize(status.evictedBytes)
        }), ${status.damaged} damaged`,
      ],
    },
    { rank: trouble ? 0 : 6, words: ["trouble", withSizes(trouble) || "none"] },
  ];
  const shown = lines.filter(({ rank }) =>
    lines.filter((other) => other.rank < rank).length < rows
  ).map(({ words }) => words);
  return isRoomy
    ? table(shown).trimEnd().split("\n")
    : shown.map((words) => words.join(" "));
}

function underWay({ status }: Picture, columns: number): Section {
  const { underWay: works, loading, publishing } = status;
  const rows = works.map((work) => [
    formatSpan(work.computingMs),
    formatSpan(work.quietMs),
    work.publishing ? "published" : waitingOf(work.waiting, work.waiters),
    work.holder || "unknown",
    `${work.namespace} ${work.key}`,
  ]);
  const unseen = loading + publishing - rows.length;
  const head = ["for", "heard", "waiting", "by", "what"];
  // What it is and for how long is asked first.
  return under(head, rows, { columns, droppable: [2, 1, 3] }, unseen);
}

function waitingOf(waiting: number, [first]: readonly string[]): string {
  if (waiting === 0) return "-";
  return first ? `${waiting}: ${first}${waiting > 1 ? "…" : ""}` : `${waiting}`;
}

function fills(all: readonly Fill[], columns: number): Section {
  const rows = all.filter(({ most }) => most > 0)
    .toSorted((one, other) => other.used / other.most - one.used / one.most)
    .map(({ limit, used, most, isBytes }) => {
      const format = isBytes ? formatSize : String;
      const share = used / most;
      return [
        limit,
        format(used),
        format(most),
        `${Math.floor(100 * share)} %`,
        bar(share) + (share >= NEARLY ? " !" : ""),
      ];
    });
  return under(["limit", "used", "of", "", ""], rows, {
    columns,
    right: [1, 2, 3],
    droppable: [4, 1, 2],
    shortens: true,
  });
}

function bar(share: number): string {
  const full = Math.min(BAR_CELLS, Math.round(share * BAR_CELLS));
  return "#".repeat(full).padEnd(BAR_CELLS, ".");
}

function lately(
  happenings: readonly Happening[],
  columns: number,
): Section {
  const rows = happenings.map((each) => [
    `${formatSpan(each.agoMs)} ago`,
    each.kind,
    `${each.count}`,
    each.reason,
    [
      each.namespace,
      each.count === 1 ? keyFor(each.key, columns) : "",
      each.bytes > 0 ? `(${formatSize(each.bytes)})` : "",
      each.detail && `- ${each.detail}`,
    ].filter((text) => text !== "").join(" "),
  ]);
  return under(["lately", "", "", "why", "what"], rows, {
    columns,
    right: [2],
    droppable: [2, 0],
  });
}

function namespaces(
  { namespaces: most, namespaceCount, status }: Picture,
  columns: number,
): Section {
  const rows = most.map(({ namespace, bytes, entries }) => [
    namespace,
    formatSize(bytes),
    `${entries}`,
    status.bytes > 0 ? `${Math.floor(100 * bytes / status.bytes)} %` : "",
  ]);
  const unseen = namespaceCount - rows.length;
  const options = { right: [1, 2, 3], droppable: [2, 3], shortens: true };
  const head = ["namespace", "bytes", "entries", ""];
  return under(head, rows, { columns, ...options }, unseen);
}

/** Why it was is asked first: where a line is short a hash's beginning has to do. */
function keyFor(key: string, columns: number): string {
  return columns >= PAPER_COLUMNS
    ? key
    : key.replace(/^(hex:[\da-f]{8})[\da-f]{9,}…?$/, "$1…");
}

function under(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  options: Columns,
  unseen = 0,
): Section {
  const text = fittedTable([head, ...rows], options);
  return { lines: text.trimEnd().split("\n"), unseen: Math.max(0, unseen) };
}

/** What all of a section takes. */
function heightOf({ lines, unseen }: Section): number {
  return lines.length + (unseen > 0 ? 1 : 0);
}

/** How many lines each gets: a fair share, and what is left in their order. */
function shared(
  sections: readonly Section[],
  { rows, gap }: { readonly rows: number; readonly gap: number },
): number[] {
  let left = rows;
  const heights = sections.map(heightOf);
  const shares = heights.map((length) => {
    const share = Math.min(length, FAIR_LINES, left - gap);
    // One without its lines takes no room from those behind it.
    if (share < Math.min(length, FEWEST_LINES)) return 0;
    left -= share + gap;
    return share;
  });
  return heights.map((length, at) => {
    const share = shares[at]!;
    if (share === 0) return 0;
    const more = Math.max(0, Math.min(length - share, left));
    left -= more;
    return share + more;
  });
}

/** Its first lines; the last says how many there are beside. */
function shortened(
  { lines, unseen }: Section,
  { share, gap }: { readonly share: number; readonly gap: readonly string[] },
): string[] {
  if (share === 0) return [];
  const isWhole = share >= lines.length && unseen === 0;
  const kept = isWhole ? lines : lines.slice(0, share - 1);
  const more = lines.length - kept.length + unseen;
  return [...gap, ...kept, ...more > 0 ? [`and ${more} more`] : []];
}

/** One line, whatever a server has sent, and no longer than the terminal is wide. */
function clip(line: string, columns: number): string {
  const shown = [...line.trimEnd().replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "?")];
  return shown.length <= columns
    ? shown.join("")
    : `${shown.slice(0, Math.max(0, columns - 1)).join("")}…`;
}
