// Runs scenarios of programs side by side, which mostly wait: one process costs
// less than many. Each line that comes is JSON: an id, the path of a program, and
// its words. What the program says has the id before it; "ID end" follows when it
// has closed what it opened. An id alone comes when what the program has said was
// acted upon: it hears of it by the event "so ID". Without more to come the process
// ends by itself.

import { createInterface } from "node:readline";
import process from "node:process";
import { pathToFileURL } from "node:url";

// A program that does all right is warned of nothing.
process.on("warning", () => process.exitCode = 1);

for await (const line of createInterface({ input: process.stdin })) {
  const [id, path, ...words] = JSON.parse(line);
  if (path === undefined) {
    process.emit(`so ${id}`);
    continue;
  }
  const program = pathToFileURL(path);
  // Another module each time, with variables of its own.
  program.search = `${new URLSearchParams({
    id,
    words: JSON.stringify(words),
  })}`;
  import(program.href).then(() => console.log(`${id} end`));
}
