/**
 * Splits text into lines.
 *
 * @module
 */

/** Text in, lines without their ends out. */
export class TextLineStream extends TransformStream<string, string> {
  /** A stream that holds back the last line until its end comes. */
  constructor() {
    let rest = "";
    super({
      transform(chunk, controller) {
        const lines = (rest + chunk).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) controller.enqueue(line);
      },
      flush(controller) {
        if (rest !== "") controller.enqueue(rest);
      },
    });
  }
}
