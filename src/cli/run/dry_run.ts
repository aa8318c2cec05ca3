/**
 * `larder run --dry-run`: what a run would do, and why.
 *
 * @module
 */

import { messageOf } from "../../errors.ts";
import { lenientAddressesOf } from "../addresses.ts";
import { FAILED, OK } from "../exit_codes.ts";
import { count, formatAge, formatSize, formatSpan, toHex } from "../format.ts";
import { print, printJson } from "../output.ts";
import type { StoredEntry } from "../../client/catalog.ts";
import { Server } from "../server.ts";
import type { Words } from "../../flags/words.ts";
import { contactOf } from "./contact.ts";
import { lastRunOf, madeOf } from "./last_run.ts";
import { originNotedIn } from "./noted_origin.ts";
import { type Origin, originJson } from "./origin.ts";
import { type Plan, planOf } from "./plan.ts";
import { shortName } from "./report.ts";
import { Stdin } from "./stdin.ts";
import { differences } from "./why.ts";

/** A line is read up to about here. */
const SHOWN_REASONS = 5;

/** What the server says of it. */
interface Found {
  readonly info?: StoredEntry;
  /** Which run has made what is kept, where that is noted. */
  readonly origin?: Origin | undefined;
  /** Why it is not known. */
  readonly trouble?: string;
}

/**
 * Says what a run would do; nothing is run, written or waited for.
 *
 * @returns 0 if it would be a hit, and else 1.
 */
export async function dryRun(words: Words): Promise<number> {
  await using stdin = words.has("stdin") ? await Stdin.read() : undefined;
  const plan = await planOf(words, stdin);
  const found = await find(plan, words);
  const { info, origin } = found;
  const isHit = info?.status === "ready";
  const isRunning = info?.status === "loading";
  const reasons = isHit ? [] : await reasonsOf(plan, found);
  const would = isHit ? "hit" : isRunning ? "wait" : "run";
  if (words.has("json")) {
    await printJson({
      would,
      namespace: plan.entry.namespace,
      key_hex: toHex(plan.entry.key),
      ...isHit ? { bytes: info.size } : {},
      ...origin ? { made: originJson(origin) } : {},
      why: reasons,
    });
  } else {
    const name = shortName(plan.entry);
    await print(
      isHit
        ? `hit ${name} ${formatSize(info.size)}, kept ${
          formatAge(info.createdMs, Date.now())
        }${origin ? `: ${described(origin)}` : ""}\n`
        : `${isRunning ? "would wait for" : "would run"} ${name}: ${
          shown(reasons)
        }\n`,
    );
  }
  return isHit ? OK : FAILED;
}

async function find(plan: Plan, words: Words): Promise<Found> {
  if (plan.obstacle !== undefined) return { trouble: plan.obstacle };
  const troubles: string[] = [];
  const given = lenientAddressesOf(words, (each) => troubles.push(each));
  if (!given) return { trouble: troubles.join("; ") };
  const { signal } = new AbortController();
  const contact = await contactOf(given, plan.entry, { signal });
  if (!contact.addresses) return { trouble: contact.reason };
  await using server = await Server.at(contact.addresses);
  try {
    const info = await server.stat(plan.entry);
    if (!info) return {};
    return { info, origin: await originNotedIn(info, server) };
  } catch (error) {
    return { trouble: messageOf(error) };
  }
}

async function reasonsOf(
  plan: Plan,
  { info, trouble }: Found,
): Promise<readonly string[]> {
  if (trouble !== undefined) return [`without the cache: ${trouble}`];
  if (info?.status === "loading") return ["somebody runs it now"];
  const last = await lastRunOf(plan);
  if (!last) return ["no run of these outs is remembered here"];
  const found = differences(last, madeOf(plan), plan.words.keys);
  if (found.length > 0) {
    const age = formatAge(last.atMs, Date.now());
    return [...found, `compared with the last run here, ${age}`];
  }
  if (last.source === "failed") {
    return ["nothing differs from the last run here, which failed"];
  }
  return last.source === "uncached"
    ? [
      "nothing differs from the last run here, which was not kept" +
      (last.reason === undefined ? "" : `: ${last.reason}`),
    ]
    : ["nothing differs from the last run here, but it is not kept any more"];
}

function described({ command, folder, host, tookMs }: Origin): string {
  return `${command}, in ${folder} on ${host}, took ${formatSpan(tookMs)}`;
}

function shown(reasons: readonly string[]): string {
  if (reasons.length <= SHOWN_REASONS + 1) return reasons.join("; ");
  const more = count(reasons.length - SHOWN_REASONS, "other difference");
  return [...reasons.slice(0, SHOWN_REASONS), `and ${more}`].join("; ");
}
