/**
 * Kills a real server again and again under local and remote load, and holds
 * what it serves afterwards against what its clients were told.
 *
 * @module
 */

import assert from "node:assert/strict";
import { temporaryFolder } from "../../src/launch/testing/program.ts";
import { randomFrom } from "../rude/scale.ts";
import { Launched } from "../supervision/launched.ts";
import { damageFile, DAMAGES } from "./damage.ts";
import { blobPath, type Known, Ledger } from "./ledger.ts";
import { Load } from "./load.ts";
import { settle, settleEntry } from "./settle.ts";
import { assertTidy, rowsOf, withoutUnowned } from "./stopped_root.ts";

/** Short, so that what nobody comes back for is soon given to others. */
const FLAGS = [
  "--heartbeat-interval=300ms",
  "--heartbeat-timeout=1s",
  "--restart-grace=700ms",
  "--drain-timeout=50ms",
  // Values of 4 MiB are among those that are read.
  "--max-reply-bytes=8MiB",
];
/** What a server that was killed may say. */
const EXPECTED =
  /^\S+ warn {2}(removed \d+ files that no entry owned|.*: the entry is removed.*)$/;
/** Entries whose file is damaged while a server is down. */
const DAMAGED = 2;
const LAUNCHER_DIED = 0.5;
/** How often the start after that is killed as well, and how late at most. */
const START_DIES = 0.5;
const START_DIES_MS = 1_000;

/** Crashes a server over and over on one root, and checks it each time. */
export class Crashes implements AsyncDisposable {
  readonly ledger = new Ledger();
  readonly #root: string;
  readonly #random: () => number;
  readonly #damaged = new Set<Known>();
  #launched: Launched | undefined;
  /** How many values were damaged on purpose. */
  damaged = 0;

  constructor(root: string, seed: number) {
    this.#root = root;
    this.#random = randomFrom(seed);
  }

  /** Load, a kill, a start, and a look at everything that it left. */
  async round(name: string): Promise<void> {
    const { ledger } = this;
    const random = this.#random;
    const launched = this.#launched ??= await this.#start();
    using before = new Load({ ...launched, ledger, random, name });
    await before.run(() => this.#kill(launched));
    this.#launched ??= await this.#start();
    using load = new Load({ ...this.#launched, ledger, random, name });
    for (const known of this.#damaged) before.touched.add(known);
    this.#damaged.clear();
    await settle(load, before, { ledger, random });
  }

  /** Reads everything once more, stops cleanly, and looks at the root. */
  async finish(): Promise<void> {
    const { ledger } = this;
    const random = this.#random;
    this.#launched ??= await this.#start();
    {
      using load = new Load({ ...this.#launched, ledger, random, name: "" });
      for (const known of ledger.entries) {
        if (known.tried.size > 0) await settleEntry(load, known);
      }
    }
    assert.equal(await this.#launched.stop(), 0);
    // A start sweeps, in the background, what nobody owns.
    this.#launched = await this.#start();
    await withoutUnowned(this.#root);
    assert.equal(await this.#launched.stop(), 0);
    this.#launched = undefined;
    assertTidy(this.#root);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#launched?.[Symbol.asyncDispose]();
  }

  #start(): Promise<Launched> {
    return Launched.start(this.#root, ...FLAGS);
  }

  /** Kills the server, or its launcher as well: then nobody starts it again. */
  async #kill(launched: Launched): Promise<void> {
    const { program } = launched;
    const serverPid = await launched.serverPid();
    if (this.#random() < LAUNCHER_DIED) {
      program.killGroup("SIGKILL");
      await program.exit();
      this.#expect(await program.stderr.toEnd());
      this.#launched = undefined;
      rowsOf(this.#root);
      await this.#damageSome();
      if (this.#random() < START_DIES) await this.#interruptedStart();
    } else {
      Deno.kill(serverPid, "SIGKILL");
      for (;;) {
        const [line] = await program.stderr.next(/.*/);
        if (line.includes("the server died")) break;
        this.#expect(line);
      }
      await launched.ready();
    }
  }

  /** Killed while it recovers, or while it loads. */
  async #interruptedStart(): Promise<void> {
    await using _ = Launched.spawn(this.#root, ...FLAGS);
    const delayMs = START_DIES_MS * this.#random();
    await new Promise((resolve) => setTimeout(resolve, delayMs));
  }

  #expect(lines: string): void {
    for (const line of lines.split("\n")) {
      if (line !== "") assert.match(line, EXPECTED);
    }
  }

  async #damageSome(): Promise<void> {
    const kept = this.ledger.entries.filter(({ kept }) => kept !== undefined);
    for (let i = 0; i < DAMAGED && kept.length > 0; i++) {
      const known = this.#pick(kept);
      const path = blobPath(this.#root, known);
      if (this.#damaged.has(known) || (await Deno.stat(path)).size === 0) {
        continue;
      }
      await damageFile(path, this.#pick(DAMAGES));
      this.ledger.damaged(known);
      this.#damaged.add(known);
      this.damaged++;
    }
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)]!;
  }
}

/** Runs so many rounds on a fresh root; one line at the end says what was done. */
export async function crash(rounds: number, seed: number): Promise<void> {
  console.log(`crash: ${rounds} rounds, --seed ${seed}`);
  await using folder = await temporaryFolder();
  await using crashes = new Crashes(folder.path, seed);
  for (let round = 0; round < rounds; round++) {
    await crashes.round(`${round}`);
    if ((round + 1) % 20 === 0) console.log(`${round + 1} rounds`);
  }
  await crashes.finish();
  const { acknowledged, compared, entries } = crashes.ledger;
  console.log(
    `crash: ${rounds} kills, ${entries.length} entries, ` +
      `${acknowledged} values acknowledged, ${crashes.damaged} damaged, ` +
      `${compared} read and compared: none lost, none wrong, none stuck`,
  );
}
