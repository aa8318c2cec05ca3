/**
 * Calls between clients and whichever process serves: messages wait for their
 * turn, get lost, or come after their caller has gone.
 *
 * @module
 */

import type { Timer } from "../../src/clock.ts";
import type { Grant } from "../../src/engine/admission.ts";
import type { Notice, OnReply, Submission } from "../../src/engine/engine.ts";
import type { Id, Reply } from "../../src/table/types.ts";
import type { Faults } from "./faults.ts";
import type { Asked } from "./facts.ts";
import { textOf } from "./ledger.ts";
import type { ReplyChecks } from "./reply_checks.ts";
import type { Scheduler } from "./scheduler.ts";
import type { ServerProcess } from "./server.ts";

/** What a client gets: a reply, or no more than that there is none. */
export type Outcome = Reply | { readonly kind: "no reply" };

/** Who calls; it may be killed. */
export interface Caller {
  readonly name: string;
  alive: boolean;
}

interface Call {
  readonly caller: Caller;
  readonly submission: Submission;
  /** What an offer brings. */
  readonly value: Uint8Array;
  readonly settle: (outcome: Outcome) => void;
  process?: ServerProcess;
  asked?: Asked;
  ticket?: number;
  grant?: Grant | undefined;
  timer?: Timer;
  /** The client does not wait any more. */
  over: boolean;
}

/** What the common client gives every call. */
const CALL_TIMEOUT_MS = 1_000;
const NO_BYTES = new Uint8Array();
const NO_REPLY: Outcome = { kind: "no reply" };

/** What a network connects. */
export interface NetworkOptions {
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly checks: ReplyChecks;
  /** Runs a check, and remembers what it throws. */
  readonly watch: (check: () => void) => void;
  /** Whoever serves now. */
  readonly server: () => ServerProcess | undefined;
}

/** The network between all clients and the server. */
export class Network {
  readonly #options: NetworkOptions;
  readonly #calls = new Set<Call>();

  /** Nothing is under way yet. */
  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  /**
   * A client calls. It settles only while the client is alive. An operator,
   * who evicts, has patience.
   */
  call(
    caller: Caller,
    submission: Submission,
    { timeoutMs = CALL_TIMEOUT_MS, value = NO_BYTES }: {
      readonly timeoutMs?: number;
      readonly value?: Uint8Array;
    } = {},
  ): Promise<Outcome> {
    const { scheduler } = this.#options;
    return new Promise((resolve) => {
      const settle = (outcome: Outcome) => {
        if (call.over) return;
        call.over = true;
        call.timer?.cancel();
        if (caller.alive) resolve(outcome);
      };
      const call: Call = { caller, submission, value, settle, over: false };
      this.#calls.add(call);
      this.#later(call, "asks", () => this.#arrive(call));
      const timeout = () => {
        if (call.over) return;
        settle(NO_REPLY);
        this.#later(call, "has gone", () => this.#end(call));
      };
      if (submission.kind === "evict") return;
      const label = `${caller.name} gives up`;
      call.timer = scheduler.addLater(timeoutMs, {
        label,
        owner: this,
        run: timeout,
      });
    });
  }

  /** A client was killed: the server notices sooner or later. */
  gone(caller: Caller): void {
    for (const call of this.#calls) {
      if (call.caller !== caller || call.over) continue;
      call.over = true;
      call.timer?.cancel();
      this.#later(call, "was killed", () => this.#end(call));
    }
  }

  /** The process is gone: its clients notice sooner or later. */
  down(process: ServerProcess): void {
    for (const call of this.#calls) {
      if (call.process !== process) continue;
      this.#calls.delete(call);
      if (call.over) continue;
      this.#later(call, "is cut off", () => call.settle(NO_REPLY));
    }
  }

  #arrive(call: Call): void {
    const { faults, checks, scheduler, watch } = this.#options;
    const process = this.#options.server();
    const { caller, submission } = call;
    if (faults.lost() || call.over) return void this.#calls.delete(call);
    if (
      !process || process.phase === "starting" || process.phase === "stopped"
    ) {
      this.#calls.delete(call);
      return this.#later(call, "is refused", () => call.settle(NO_REPLY));
    }
    call.process = process;
    const asked = call.asked = {
      submission: { ...submission },
      brings: broughtBy(call),
      sinceMs: scheduler.nowMs,
      process: process.number,
      noticed: new Set<Id>(),
    };
    checks.asked(asked);
    const onReply: OnReply = (reply, grant) => {
      call.grant = grant;
      scheduler.note(
        `  ${caller.name} ${wordsOf(submission)}: ${shown(reply)}`,
      );
      watch(() => checks.replied(asked, reply));
      this.#later(call, "is answered", () => {
        if (!faults.lost()) call.settle(reply);
        this.#end(call);
      });
    };
    if (submission.kind === "offer") {
      return void this.#offer(call, asked, onReply);
    }
    const onNotice = (notice: Notice) =>
      watch(() => checks.noticed(asked, notice));
    const { engine } = process;
    call.ticket = engine.submit(submission, onReply, caller, onNotice);
  }

  /** As `src/rpc/publish.ts` does it: what came whole is finished without its caller. */
  async #offer(
    { process, submission, value, caller, settle }: Call,
    asked: Asked,
    onReply: OnReply,
  ): Promise<void> {
    if (submission.kind !== "offer" || !process) return;
    try {
      const { upload, digest, discard } = await process.receive(value);
      const offer = { ...submission, upload, digest };
      this.#options.checks.received(asked);
      process.engine.submit(offer, (reply) => {
        onReply(reply);
        discard();
      }, caller);
    } catch {
      this.#options.checks.notReceived(asked);
      settle(NO_REPLY);
    }
  }

  /** What grpc-js calls `cancelled`: it comes at every end of a call. */
  #end(call: Call): void {
    const { process, ticket, asked, grant } = call;
    if (!this.#calls.delete(call) || !process || ticket === undefined) return;
    if (asked) this.#options.checks.cancelled(asked);
    process.engine.cancel(ticket);
    grant?.release();
  }

  #later(call: Call, what: string, run: () => void): void {
    const { scheduler } = this.#options;
    const label = `${call.caller.name} ${wordsOf(call.submission)} ${what}`;
    scheduler.add({ label, owner: this, run });
  }
}

/** What a request brings as a value of its own, as text. */
function broughtBy({ submission, value }: Call): string | undefined {
  if (submission.kind === "set") return textOf(submission.value);
  return submission.kind === "offer" ? textOf(value) : undefined;
}

function wordsOf(submission: Submission): string {
  switch (submission.kind) {
    case "get":
      return `Get ${submission.api}${submission.assign ? " assign" : ""}` +
        `${submission.patient ? " wait" : ""} ` +
        submission.entry.name.slice(0, 8);
    case "evict":
      return `evict ${submission.entry.name.slice(0, 8)}`;
    case "sweep":
      return `sweep ${submission.name}`;
    default:
      return `${submission.kind} ${submission.id}`;
  }
}

function shown(reply: Reply): string {
  switch (reply.kind) {
    case "assigned":
      return `assigned ${reply.assignment.id}`;
    case "handle":
      return `handle ${reply.id}`;
    case "unassigned":
      return `unassigned ${reply.reason ?? ""}`;
    case "error":
      return `error ${reply.error.code}`;
    default:
      return reply.kind;
  }
}
