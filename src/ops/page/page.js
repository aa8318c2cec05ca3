/**
 * Larder's status page: what the server says, drawn.
 *
 * @module
 */

import { follow } from "./connection.js";
import { showFigures } from "./figures.js";
import { formatCount, formatShare, formatSize, formatSpan } from "./format.js";
import { Plots } from "./plots.js";
import { showTable } from "./tables.js";
import { TokenForm } from "./token.js";

const byId = (id) => document.getElementById(id);
const number = (name) => ({ name, kind: "number" });
const text = (name) => ({ name, kind: "text" });
const word = (name) => ({ name });

const plots = new Plots(byId("plots"));
const tokenForm = new TokenForm(
  byId("token-form"),
  ["main", "nav", "skip"].map(byId),
);
let seenMs = 0;

follow((line) => {
  seenMs = Date.now();
  tokenForm.close();
  const { picture, points, anew, settings } = line;
  showState(picture);
  showFigures(byId("figures"), line);
  showWork(picture.status);
  showLimits(picture.fills);
  showLately(picture.lately);
  showNamespaces(picture);
  showCalls(line.calls);
  plots.add(points, anew);
  if (settings) showSettings(settings);
}, (why) => {
  const since = seenMs ? ` for ${formatSpan(Date.now() - seenMs)}` : "";
  setState("lost", `no answer${since}: ${why}`);
}, (why, isRefused) => {
  setState("locked", isRefused ? "the token is refused" : "asks for a token");
  byId("about").textContent = "";
  return tokenForm.ask(why);
});

function setState(state, words) {
  const place = byId("state");
  place.dataset.state = state;
  if (place.textContent !== words) place.textContent = words;
}

function showState({ phase, status }) {
  setState(
    phase,
    phase === "ready" ? "ready" : `${phase}: gives out no more work`,
  );
  byId("about").textContent = `version ${status.version}, up for ${
    formatSpan(status.upMs)
  }`;
  const trouble = byId("trouble");
  trouble.hidden = status.trouble === "";
  const words = `No value can be kept now: ${status.trouble}`;
  if (trouble.textContent !== words) trouble.textContent = words;
}

function showWork({ underWay, loading, publishing }) {
  showTable(
    byId("work-table"),
    [
      text("what"),
      number("for"),
      number("last heard"),
      word("by"),
      word("waiting"),
    ],
    underWay.map((work) => [
      `${work.namespace} ${work.key}`,
      formatSpan(work.computingMs),
      work.publishing ? "published" : `${formatSpan(work.quietMs)} ago`,
      work.holder || "unknown",
      waitingOf(work),
    ]),
    "Nobody computes anything.",
  );
  const more = loading + publishing - underWay.length;
  byId("work-more").textContent = more > 0
    ? `and ${formatCount(more)} more`
    : "";
}

function waitingOf({ waiting, waiters }) {
  if (waiting === 0) return "nobody";
  const more = waiting - waiters.length;
  return waiters.join(", ") +
    (more > 0 ? ` and ${formatCount(more)} more` : "");
}

function showLimits(fills) {
  const format = ({ isBytes }) => isBytes ? formatSize : formatCount;
  showTable(
    byId("limits-table"),
    [
      word("limit"),
      number("filled"),
      word("share"),
      number("used"),
      number("of"),
    ],
    fills.filter(({ most }) => most > 0)
      .sort((one, other) => other.used / other.most - one.used / one.most)
      .map((fill) => {
        const share = fill.used / fill.most;
        return [
          fill.limit,
          {
            text: formatShare(fill.used, fill.most),
            className: share >= 0.9 ? "number full" : "number",
          },
          {
            meter: {
              share: Math.min(1, share),
              name: `${fill.limit} is filled`,
            },
          },
          format(fill)(fill.used),
          format(fill)(fill.most),
        ];
      }),
    "There are no limits.",
  );
}

function showLately(lately) {
  showTable(
    byId("lately-table"),
    [number("last"), word("what"), number("times"), word("why"), text("of")],
    lately.map((each) => [
      `${formatSpan(each.agoMs)} ago`,
      each.kind,
      formatCount(each.count),
      each.reason,
      [
        each.namespace,
        each.count === 1 ? each.key : "",
        each.bytes > 0 ? `(${formatSize(each.bytes)})` : "",
        each.detail && `– ${each.detail}`,
      ].filter(Boolean).join(" "),
    ]),
    "Nothing.",
  );
}

function showNamespaces({ namespaces, namespaceCount, status }) {
  showTable(
    byId("namespaces-table"),
    [
      text("namespace"),
      number("bytes"),
      number("entries"),
      number("of all bytes"),
    ],
    namespaces.map(({ namespace, bytes, entries }) => [
      namespace,
      formatSize(bytes),
      formatCount(entries),
      formatShare(bytes, status.bytes),
    ]),
    "Nothing is cached yet.",
  );
  const more = namespaceCount - namespaces.length;
  byId("namespaces-more").textContent = more > 0
    ? `and ${formatCount(more)} namespaces with less`
    : "";
}

function showCalls(calls) {
  showTable(
    byId("calls-table"),
    [
      word("call"),
      number("times"),
      number("failed"),
      number("half took less than"),
      number("99 of 100"),
    ],
    calls.filter(({ total }) => total > 0).map((each) => [
      `${each.service}/${each.method}`,
      formatCount(each.total),
      formatCount(each.failed),
      formatSpan(each.medianMs),
      formatSpan(each.slowMs),
    ]),
    "Nobody has called yet.",
  );
}

function showSettings(settings) {
  showTable(
    byId("settings-table"),
    [word("flag"), text("is")],
    settings,
    "None.",
  );
}
