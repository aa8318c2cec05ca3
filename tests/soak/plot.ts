/**
 * Curves over time as an SVG: one panel for each unit.
 *
 * @module
 */

const WIDTH = 960;
const PANEL_HEIGHT = 180;
/** Room for the scales' numbers and for the panel's title. */
const MARGIN = { left: 64, right: 16, top: 34, bottom: 26 };
const TICKS = 4;
const COLORS = ["#1f6feb", "#d1242f", "#8250df"];

/** A curve. */
export interface Curve {
  readonly name: string;
  /** As many as there are times. */
  readonly values: readonly number[];
}

/** Curves with one scale. */
export interface Panel {
  readonly title: string;
  readonly curves: readonly Curve[];
}

/** What is drawn. */
export interface Plot {
  readonly title: string;
  /** In seconds, rising. */
  readonly times: readonly number[];
  /** What happened until then is shaded. */
  readonly warmUpSeconds: number;
  readonly panels: readonly Panel[];
}

/** Draws it. */
export function svgOf({ title, times, warmUpSeconds, panels }: Plot): string {
  const height = MARGIN.top + panels.length * (PANEL_HEIGHT + MARGIN.top);
  const end = Math.max(times.at(-1) ?? 0, 1);
  const x = (seconds: number) =>
    MARGIN.left + seconds / end * (WIDTH - MARGIN.left - MARGIN.right);
  const drawn = panels.map((panel, i) => {
    const top = MARGIN.top + i * (PANEL_HEIGHT + MARGIN.top);
    return `<g transform="translate(0 ${top})">` +
      panelOf(panel, { times, end, x, warmUpSeconds }) + "</g>";
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" ` +
    `height="${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="white"/>`,
    text(WIDTH / 2, 20, title, "middle"),
    ...drawn,
    "</svg>\n",
  ].join("\n");
}

interface Axis {
  readonly times: readonly number[];
  readonly end: number;
  readonly x: (seconds: number) => number;
  readonly warmUpSeconds: number;
}

function panelOf({ title, curves }: Panel, axis: Axis): string {
  const { times, end, x, warmUpSeconds } = axis;
  const bottom = PANEL_HEIGHT - MARGIN.bottom;
  const step = niceStep(Math.max(1, ...curves.flatMap(({ values }) => values)));
  const y = (value: number) =>
    bottom - value / (step * TICKS) * (bottom - MARGIN.top);
  const [left, right] = [x(0), x(end)];
  const warm = x(warmUpSeconds) - left;
  const parts = [
    `<rect x="${left}" y="${MARGIN.top}" width="${round(warm)}" ` +
    `height="${bottom - MARGIN.top}" fill="#f0f0f0"/>`,
    text(left, MARGIN.top - 8, title),
  ];
  for (let i = 0; i <= TICKS; i++) {
    const at = round(y(i * step));
    parts.push(
      `<path d="M${left} ${at}H${right}" stroke="#ddd"/>`,
      text(left - 6, at + 4, String(i * step), "end"),
      text(
        x(end * i / TICKS),
        bottom + 16,
        `${round(end * i / TICKS)} s`,
        i === TICKS ? "end" : "middle",
      ),
    );
  }
  curves.forEach(({ name, values }, i) => {
    const color = COLORS[i % COLORS.length]!;
    const points = values.map((value, at) =>
      `${round(x(times[at]!))},${round(y(value))}`
    );
    parts.push(
      `<polyline points="${points.join(" ")}" fill="none" stroke="${color}"/>`,
      text(right - 110 * i, MARGIN.top - 8, name, "end", color),
    );
  });
  return parts.join("\n");
}

/** A step of 1, 2 or 5 times a power of ten, so that the ticks reach the top. */
function niceStep(top: number): number {
  const power = 10 ** Math.floor(Math.log10(top / TICKS));
  const factor = [1, 2, 5, 10].find((each) => each * power * TICKS >= top)!;
  return Number((factor * power).toPrecision(1));
}

function text(
  x: number,
  y: number,
  content: string,
  anchor = "start",
  color = "#222",
): string {
  const escaped = content.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" ` +
    `fill="${color}">${escaped}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
