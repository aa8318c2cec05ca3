/**
 * What `larder top` shows: the sections of a screen, and how they share it.
 *
 * @module
 */

import { count, formatSize, formatSpan, table } from "./format.ts";
import type { Fill, Happening, Picture } from "./picture.ts";

/** How much there is room for. */
export interface Room {
  readonly columns: number;
  readonly rows: number;
}

/** Lines under a heading; the least important are the last. */
interface Section {
  readonly lines: readonly string[];
}

/** What each section gets of a small screen before the first gets more. */
const FAIR_LINES = 4;
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
  const head = headOf(picture, before);
  const sections = [
    underWay(picture),
    fills(picture.fills),
    lately(picture.lately),
    namespaces(picture),
  ].filter(({ lines }) => lines.length > 1);
  const shares = shared(sections, room.rows - head.length);
  const lines = [
    ...head,
    ...sections.flatMap((section, at) => shortened(section, shares[at]!)),
  ];
  return lines.slice(0, room.rows).map((line) => clip(line, room.columns));
}

function headOf(
  { phase, status }: Picture,
  before: Picture | undefined,
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
  return table([
    [
      "server",
      `larder ${status.version}, ${phase}, up for ${formatSpan(status.upMs)}`,
    ],
    [
      "kept",
      `${formatSize(status.bytes)}, ` +
      count(status.entries, "entry", "entries"),
    ],
    [
      "found",
      `${share} of ${count(asked, "request")}${rate}, saved ` +
      formatSpan(savedMs),
    ],
    [
      "under way",
      `${status.loading} computed, ${status.publishing} published, ` +
      `${status.waiting} waiting, ${count(status.handles, "file")} in use`,
    ],
    [
      "gone",
      `${status.evictedEntries} evicted (${
        formatSize(status.evictedBytes)
      }), ${status.damaged} damaged`,
    ],
    ["trouble", trouble || "none"],
  ]).trimEnd().split("\n");
}

function underWay({ status }: Picture): Section {
  const { underWay: works, loading, publishing } = status;
  const rows = works.map((work) => [
    formatSpan(work.computingMs),
    formatSpan(work.quietMs),
    work.publishing ? "published" : waitingOf(work.waiting, work.waiters),
    work.holder || "unknown",
    `${work.namespace} ${work.key}`,
  ]);
  const unseen = loading + publishing - rows.length;
  return {
    lines: [
      ...under(["for", "heard", "waiting", "by", "what"], rows),
      ...unseen > 0 ? [`and ${unseen} more`] : [],
    ],
  };
}

function waitingOf(waiting: number, [first]: readonly string[]): string {
  if (waiting === 0) return "-";
  return first ? `${waiting}: ${first}${waiting > 1 ? "…" : ""}` : `${waiting}`;
}

function fills(all: readonly Fill[]): Section {
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
  return { lines: under(["limit", "used", "of", "", ""], rows, [1, 2, 3]) };
}

function bar(share: number): string {
  const full = Math.min(BAR_CELLS, Math.round(share * BAR_CELLS));
  return "#".repeat(full).padEnd(BAR_CELLS, ".");
}

function lately(happenings: readonly Happening[]): Section {
  const rows = happenings.map((each) => [
    `${formatSpan(each.agoMs)} ago`,
    each.kind,
    `${each.count}`,
    each.reason,
    [
      each.namespace,
      each.count === 1 ? each.key : "",
      each.bytes > 0 ? `(${formatSize(each.bytes)})` : "",
      each.detail && `- ${each.detail}`,
    ].filter((text) => text !== "").join(" "),
  ]);
  return { lines: under(["lately", "", "", "why", "what"], rows, [2]) };
}

function namespaces(
  { namespaces: most, namespaceCount, status }: Picture,
): Section {
  const rows = most.map(({ namespace, bytes, entries }) => [
    namespace,
    formatSize(bytes),
    `${entries}`,
    status.bytes > 0 ? `${Math.floor(100 * bytes / status.bytes)} %` : "",
  ]);
  const unseen = namespaceCount - rows.length;
  return {
    lines: [
      ...under(["namespace", "bytes", "entries", ""], rows, [1, 2, 3]),
      ...unseen > 0 ? [`and ${unseen} more`] : [],
    ],
  };
}

function under(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string[] {
  return table([head, ...rows], right).trimEnd().split("\n");
}

/** How many lines each gets: a fair share, and what is left in their order. */
function shared(sections: readonly Section[], rows: number): number[] {
  // An empty line comes before each.
  let left = rows - sections.length;
  const shares = sections.map(({ lines }) => {
    const share = Math.max(0, Math.min(lines.length, FAIR_LINES, left));
    left -= share;
    return share;
  });
  return sections.map(({ lines }, at) => {
    const more = Math.max(0, Math.min(lines.length - shares[at]!, left));
    left -= more;
    return shares[at]! + more;
  });
}

/** Its first lines; the last says how many there are beside. */
function shortened({ lines }: Section, share: number): string[] {
  if (share < 2) return [];
  if (share >= lines.length) return ["", ...lines];
  const kept = lines.slice(0, share - 1);
  return ["", ...kept, `and ${lines.length - kept.length} more`];
}

/** One line, whatever a server has sent, and no longer than the terminal is wide. */
function clip(line: string, columns: number): string {
  const shown = [...line.trimEnd().replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "?")];
  return shown.length <= columns
    ? shown.join("")
    : `${shown.slice(0, Math.max(0, columns - 1)).join("")}…`;
}
