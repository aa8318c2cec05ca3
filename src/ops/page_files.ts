/**
 * The files of the status page, as texts of this program: the confined server
 * may read no other files, and its page needs none of others.
 *
 * @module
 */

import plotScript from "uplot/dist/uPlot.iife.min.js" with { type: "text" };
import plotStyle from "uplot/dist/uPlot.min.css" with { type: "text" };
import connection from "./page/connection.js" with { type: "text" };
import figures from "./page/figures.js" with { type: "text" };
import format from "./page/format.js" with { type: "text" };
import index from "./page/index.html" with { type: "text" };
import page from "./page/page.js" with { type: "text" };
import plots from "./page/plots.js" with { type: "text" };
import style from "./page/style.css" with { type: "text" };
import tables from "./page/tables.js" with { type: "text" };
import token from "./page/token.js" with { type: "text" };

/** A file, and its media type. */
export interface PageFile {
  readonly type: string;
  readonly text: string;
}

const HTML = "text/html; charset=utf-8";
const SCRIPT = "text/javascript; charset=utf-8";
const STYLE = "text/css; charset=utf-8";
const ICON = "image/svg+xml";

const FILES: ReadonlyMap<string, PageFile> = new Map([
  ["/", { type: HTML, text: index }],
  ["/page/style.css", { type: STYLE, text: style }],
  ["/page/uplot.css", { type: STYLE, text: plotStyle }],
  ["/page/uplot.js", { type: SCRIPT, text: plotScript }],
  ...Object.entries({ connection, figures, format, page, plots, tables, token })
    .map((
      [name, text],
    ): [string, PageFile] => [`/page/${name}.js`, { type: SCRIPT, text }]),
  ["/page/icon.svg", {
    type: ICON,
    text: '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">' +
      '<path fill="#2f6f4f" d="M1 1h14v14H1z"/>' +
      '<path fill="#fff" d="M4 3h2v8h6v2H4z"/></svg>',
  }],
]);

/** The file of that path, if there is one. */
export function pageFile(path: string): PageFile | undefined {
  return FILES.get(path);
}
