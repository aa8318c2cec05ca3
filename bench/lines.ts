/**
 * Text in pieces to text in lines.
 *
 * @module
 */

/** Splits at line ends; the last line needs none. */
export class TextLineStream extends TransformStream<string, string> {
  /** Ready to be piped through. */
  constructor() {
    let rest = "";
    super({
      transform(chunk, controller) {
        const lines = (rest + chunk).split("\n");
        rest = lines.pop()!;
        for (const line of lines) controller.enqueue(line);
      },
      flush(controller) {
        if (rest !== "") controller.enqueue(rest);
      },
    });
  }
}
