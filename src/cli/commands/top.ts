/** `larder top`. @module */

import process from "node:process";
import { sleep } from "../../client/backoff.ts";
import { hasCode } from "../../client/cache_error.ts";
import { messageOf, StartError } from "../../errors.ts";
import { MAX_WATCH_INTERVAL_MS, MIN_WATCH_INTERVAL_MS } from "../../limits.ts";
import { addressesOf } from "../addresses.ts";
import type { Command } from "../command.ts";
import { OK } from "../exit_codes.ts";
import { formatSpan } from "../format.ts";
import { openScreens, type Screens } from "../live_screen.ts";
import { printJson } from "../output.ts";
import { inSnake, type Picture } from "../picture.ts";
import { Interrupts } from "../run/interrupts.ts";
import { Server } from "../server.ts";
import { topScreen } from "../top_screen.ts";
import type { Words } from "../../flags/words.ts";

/** What an eye can follow. */
const DEFAULT_INTERVAL_MS = 1_000;
/** After how long a server that is away is asked again. */
const AGAIN_MS = 1_000;

/** Shows what the server is doing, live. */
export const top: Command = {
  name: "top",
  usage: "",
  summary: "what the server is doing, live, until Ctrl-C",
  options: [
    {
      name: "interval",
      argument: "D",
      help: "between two pictures, 250ms to 1m (default: 1s)",
    },
    { name: "count", argument: "N", help: "end after so many pictures" },
  ],
  details: [
    "On a terminal it is drawn anew with each picture. Elsewhere one screen",
    "follows the other, in lines of at most 200 characters; with --json each",
    "picture is one line, with all there is.",
  ],
  async run(words) {
    words.atMost(0);
    const intervalMs = intervalOf(words);
    const count = countOf(words);
    await using server = await Server.at(addressesOf(words));
    // Ctrl-C ends it well: nothing is interrupted that was to come to an end.
    using interrupts = new Interrupts();
    const { signal } = interrupts;
    const pictures = taken(server.watch(intervalMs, signal), count);
    if (words.has("json")) {
      for await (const picture of pictures) await printJson(inSnake(picture));
      return OK;
    }
    // Nothing is drawn before the server has answered.
    const first = await pictures.next();
    if (first.done) return OK;
    await using screens = await openScreens();
    const view = new View(screens, first.value);
    await view.draw();
    await follow(pictures, view);
    while (process.stdout.isTTY && view.lost && !signal.aborted) {
      await sleep(AGAIN_MS, signal).catch(() => {});
      await follow(
        taken(server.watch(intervalMs, signal), count - view.shown),
        view,
      );
    }
    return OK;
  },
};

/** The last picture, and what became of the server since. */
class View {
  /** Why there are no more pictures now. */
  lost: unknown;
  /** How many pictures were shown. */
  shown = 1;
  readonly #screens: Screens;
  #picture: Picture;
  #before: Picture | undefined;
  #seenMs = performance.now();

  constructor(screens: Screens, picture: Picture) {
    this.#screens = screens;
    this.#picture = picture;
    screens.onResize(() => void this.draw().catch(() => {}));
  }

  async take(picture: Picture): Promise<void> {
    this.lost = undefined;
    this.#before = this.#picture;
    this.#picture = picture;
    this.#seenMs = performance.now();
    this.shown++;
    await this.draw();
  }

  async draw(): Promise<void> {
    const { room } = this.#screens;
    const away = this.lost === undefined ? [] : [
      `no answer for ${formatSpan(performance.now() - this.#seenMs)}: ` +
      messageOf(this.lost).replaceAll(/\s+/g, " "),
    ];
    const rows = room.rows - away.length;
    const lines = topScreen(this.#picture, this.#before, { ...room, rows });
    await this.#screens.show([
      ...away.map((line) => line.slice(0, room.columns)),
      ...lines,
    ]);
  }
}

/** Shows pictures as they come; on a terminal a server that goes away is waited for. */
async function follow(
  pictures: AsyncGenerator<Picture>,
  view: View,
): Promise<void> {
  try {
    for await (const picture of pictures) await view.take(picture);
  } catch (error) {
    if (!process.stdout.isTTY || !hasCode(error, "unavailable")) throw error;
    view.lost = error;
    await view.draw();
  }
}

async function* taken(
  pictures: AsyncIterable<Picture>,
  count: number,
): AsyncGenerator<Picture, void, undefined> {
  if (count <= 0) return;
  let left = count;
  for await (const picture of pictures) {
    yield picture;
    if (--left === 0) return;
  }
}

function intervalOf(words: Words): number {
  const intervalMs = words.durationMs("interval") ?? DEFAULT_INTERVAL_MS;
  if (
    intervalMs >= MIN_WATCH_INTERVAL_MS && intervalMs <= MAX_WATCH_INTERVAL_MS
  ) return intervalMs;
  throw new StartError(
    2,
    `--interval ${words.text("interval")}: write 250ms to 1m`,
  );
}

function countOf(words: Words): number {
  const text = words.text("count");
  if (text === undefined) return Infinity;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new StartError(2, `--count ${text}: write a whole number from 1 on`);
}
