/**
 * What may become the value of one assignment: what its client has put at its
 * path, or sent, and what it was told of that.
 *
 * Several requests may bring something at once, and any of them may count. One
 * that was refused brings nothing any more: what comes after it is what counts.
 * Once one may have been answered with OK, it is what it brought that stays.
 *
 * @module
 */

/** A request that is not known to have failed. */
interface Open {
  /** It is about the file, whatever lies there by then. */
  readonly isFile: boolean;
  /** What it may publish. */
  readonly texts: Set<string>;
  /** Its caller has gone; what it asked for may come about all the same. */
  isGone: boolean;
  /** Those whose callers had gone before it came. */
  readonly after: readonly object[];
}

/** Follows one assignment. */
export class Brought {
  /** What lies at its path, or was taken from there last. */
  #last: string | undefined;
  /** All that ever lay at its path. */
  readonly #files = new Set<string>();
  /** Whether anybody has ever said that the file is done. */
  #isDone = false;
  readonly #open = new Map<object, Open>();
  /** What former processes may have taken away: a start publishes what it finds. */
  #left: ReadonlySet<string> = new Set();
  /** Whether a Done was refused. */
  #isRefused = false;
  /** What was there when a Done was answered before it was published. */
  #owed: ReadonlySet<string> | undefined;

  /** Whether it is published though a Done was refused before. */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  /** Whether a request is not known to be over. */
  get isOpen(): boolean {
    return this.#open.size > 0;
  }

  /** A file lies at its path, new or longer than before. */
  wrote(text: string): void {
    this.#last = text;
    this.#files.add(text);
    this.wentOn(text);
  }

  /** Its file was written to where it lies by now: whoever copies it may see that. */
  wentOn(text: string): void {
    for (const { isFile, texts } of this.#open.values()) {
      if (isFile) texts.add(text);
    }
  }

  /** Something lies at its path that is no file. */
  spoilt(): void {
    this.#last = undefined;
  }

  /** A request comes to the server, with a value or for the file. */
  asked(request: object, value: string | undefined): void {
    const isFile = value === undefined;
    const text = value ?? this.#last;
    if (isFile) this.#isDone = true;
    this.#open.set(request, {
      isFile,
      texts: new Set(text === undefined ? [] : [text]),
      isGone: false,
      after: [...this.#open].flatMap(([other, { isGone }]) =>
        isGone ? [other] : []
      ),
    });
  }

  /** Its caller has gone. */
  cancelled(request: object): void {
    const open = this.#open.get(request);
    if (open) open.isGone = true;
  }

  /** It has not come whole, and says nothing of the others. */
  withdrawn(request: object): void {
    this.#open.delete(request);
  }

  /** It has failed, and so has whatever it found under way. */
  refused(request: object): void {
    const { isFile = false, after = [] } = this.#open.get(request) ?? {};
    this.#isRefused ||= isFile;
    for (const over of [request, ...after]) this.#open.delete(over);
  }

  /** A Done was answered with OK, and its value has not been published yet. */
  accepted(): void {
    this.#owed ??= this.#candidates();
  }

  /** The server has ended: who was not answered gets no answer. */
  ended(): void {
    this.#open.clear();
    if (this.#isDone) this.#left = new Set(this.#files);
  }

  /** Whether this may be published now. */
  mayBe(text: string): boolean {
    return (this.#owed ?? this.#candidates()).has(text);
  }

  #candidates(): Set<string> {
    const open = [...this.#open.values()];
    return new Set([...this.#left, ...open.flatMap(({ texts }) => [...texts])]);
  }
}
