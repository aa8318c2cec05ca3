/**
 * The numbers at the top.
 *
 * @module
 */

import { formatCount, formatShare, formatSize, formatSpan } from "./format.js";

const FIGURES = [
  ["hit-ratio", "found", (line) => {
    const { hits, misses } = line.picture.status;
    return [formatShare(hits, hits + misses), hits / (hits + misses || 1)];
  }],
  ["hits", "hits", count(({ picture }) => picture.status.hits)],
  ["misses", "misses", count(({ picture }) => picture.status.misses)],
  ["calls-total", "calls", count(({ calls }) => sum(calls, "total"))],
  [
    "calls-failed",
    "calls that failed",
    count(({ calls }) => sum(calls, "failed")),
  ],
  ["saved", "computing saved", ({ picture: { status: { savedMs } } }) => [
    formatSpan(savedMs),
    savedMs,
  ]],
  ["kept-bytes", "kept", size(({ picture }) => picture.status.bytes)],
  ["entries", "entries", count(({ picture }) => picture.status.entries)],
  [
    "disk-free",
    "disk free",
    size(({ picture }) => picture.status.diskFreeBytes),
  ],
  ["loading", "being computed", count(({ picture }) => picture.status.loading)],
  [
    "waiting",
    "calls that wait",
    count(({ picture }) => picture.status.waiting),
  ],
  ["handles", "files in use", count(({ picture }) => picture.status.handles)],
  ["evicted", "evicted", count(({ picture }) => picture.status.evictedEntries)],
  ["damaged", "damaged", count(({ picture }) => picture.status.damaged)],
];

/** Shows them; each has its exact value in `data-value`. */
export function showFigures(list, line) {
  for (const [id, name, read] of FIGURES) {
    const [text, value] = read(line);
    const figure = document.getElementById(id) ?? newFigure(list, id, name);
    if (figure.textContent !== text) figure.textContent = text;
    figure.dataset.value = String(value);
  }
}

function newFigure(list, id, name) {
  const tile = document.createElement("div");
  const term = document.createElement("dt");
  term.textContent = name;
  const figure = document.createElement("dd");
  figure.id = id;
  tile.append(term, figure);
  list.append(tile);
  return figure;
}

function count(read) {
  return (line) => [formatCount(read(line)), read(line)];
}

function size(read) {
  return (line) => [formatSize(read(line)), read(line)];
}

function sum(calls, name) {
  return calls.reduce((all, each) => all + each[name], 0);
}
