/**
 * How the server has done, in plots.
 *
 * @module
 */

import { formatSize, formatSpan } from "./format.js";

/* global uPlot */

const HEIGHT = 160;
/** A line has two ends, and each is what happened since the point before. */
const FEWEST_POINTS = 3;
/** Steps of an axis of bytes: they are told in units of 1024. */
const BYTE_STEPS = Array.from({ length: 51 }, (_, power) => 2 ** power);
/** Below it the minutes of an axis say too little. */
const SHORT_S = 600;
/** Of the page's colours. */
const STROKES = ["--accent", "--second"];

const PLOTS = [
  {
    title: "found, of what was asked for",
    format: (share) => `${Math.round(share)} %`,
    lines: [["found", (point, before) => {
      const hits = point.hits - before.hits;
      const asked = hits + point.misses - before.misses;
      return asked > 0 ? 100 * hits / asked : null;
    }]],
    range: [0, 100],
  },
  {
    title: "calls a second",
    format: (rate) => rate >= 10 ? rate.toFixed(0) : rate.toFixed(1),
    lines: [[
      "calls",
      (point, before, seconds) => (point.calls - before.calls) / seconds,
    ]],
  },
  {
    title: "bytes: kept, and published a second",
    format: formatSize,
    steps: BYTE_STEPS,
    lines: [
      ["kept", (point) => point.keptBytes],
      [
        "published/s",
        (point, before, seconds) =>
          (point.publishedBytes - before.publishedBytes) / seconds,
      ],
    ],
  },
  {
    title:
      "time of a call, waiting included: the half, and 99 of 100, take less",
    format: formatSpan,
    lines: [
      ["half", (point) => point.medianMs ?? null],
      ["99 %", (point) => point.slowMs ?? null],
    ],
  },
];

/** The plots of a page. */
export class Plots {
  #points = [];
  #shown = [];

  /** Draws into an element. */
  constructor(place) {
    for (const plot of PLOTS) {
      const figure = document.createElement("figure");
      const caption = document.createElement("figcaption");
      caption.textContent = plot.title;
      const canvas = document.createElement("div");
      canvas.setAttribute("role", "img");
      figure.append(caption, canvas);
      place.append(figure);
      this.#shown.push({ plot, place: canvas, chart: undefined });
    }
    new ResizeObserver(() => this.#resize()).observe(place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener(
      "change",
      () => this.#draw(true),
    );
  }

  /** More points; `anew`: in the place of all before. */
  add(points, anew) {
    if (anew) this.#points = points;
    else this.#points = [...this.#points, ...points];
    if (points.length > 0 || anew) this.#draw(false);
  }

  #draw(isNew) {
    if (this.#points.length < FEWEST_POINTS) return;
    document.getElementById("no-plots").hidden = true;
    const [, ...later] = this.#points;
    const times = later.map(({ atMs }) => atMs / 1_000);
    for (const shown of this.#shown) {
      const { plot, place } = shown;
      const data = [
        times,
        ...plot.lines.map(([, read]) =>
          later.map((point, at) => {
            const before = this.#points[at];
            return read(point, before, (point.atMs - before.atMs) / 1_000);
          })
        ),
      ];
      place.setAttribute("aria-label", labelOf(plot, data));
      if (isNew) {
        shown.chart?.destroy();
        shown.chart = undefined;
      }
      if (shown.chart) shown.chart.setData(data);
      else shown.chart = new uPlot(optionsOf(plot, place), data, place);
    }
  }

  #resize() {
    for (const { place, chart } of this.#shown) {
      chart?.setSize({ width: place.clientWidth, height: HEIGHT });
    }
  }
}

/** For those who do not see it: what it says now. */
function labelOf({ title, format, lines }, [, ...values]) {
  const now = lines.map(([name], at) => {
    const last = values[at].at(-1) ?? null;
    return `${name} ${last === null ? "not known" : format(last)}`;
  });
  return `${title}; now: ${now.join(", ")}`;
}

function optionsOf({ format, lines, range, steps }, place) {
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: color("--faint"),
    grid: { stroke: color("--line"), width: 1 },
    ticks: { stroke: color("--line"), width: 1 },
    font: "11px system-ui, 'DejaVu Sans', sans-serif",
    space: 70,
  };
  const value = (_, each) =>
    each === null || each === undefined ? "–" : format(each);
  return {
    width: place.clientWidth,
    height: HEIGHT,
    cursor: { sync: { key: "larder" } },
    scales: {
      y: {
        range: range ??
          ((_, least, most) => [Math.min(0, least), most > 0 ? 1.1 * most : 1]),
      },
    },
    axes: [{ ...axis, values: times }, {
      ...axis,
      size: 64,
      space: 30,
      ...steps && { incrs: steps },
      values: (_, splits) => splits.map(format),
    }],
    series: [
      { label: "at", value: "{HH}:{mm}:{ss}" },
      ...lines.map(([label], at) => ({
        label,
        stroke: color(STROKES[at]),
        width: 1.5,
        spanGaps: false,
        points: { size: 4 },
        value,
      })),
    ],
  };
}

/** Of a short time with seconds. */
function times(_, splits) {
  const isShort = splits.at(-1) - splits[0] < SHORT_S;
  return splits.map((seconds) =>
    new Date(1_000 * seconds).toTimeString().slice(0, isShort ? 8 : 5)
  );
}
