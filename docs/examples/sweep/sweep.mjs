// A sweep over a parameter by several processes at once: each point is computed
// once, by whichever process comes to it first.

import { spawn } from "node:child_process";
import process from "node:process";

const POINTS = Array.from({ length: 24 }, (_, at) => at / 4);

/** What takes hours in earnest. */
async function simulate(voltage) {
  await new Promise((resolve) => setTimeout(resolve, 50));
  return { voltage, mhz: Math.round(900 * Math.sqrt(voltage)) };
}

/** One of the processes: wants all points, in an order of its own. */
export async function work(cache) {
  const points = [...POINTS].sort(() => Math.random() - 0.5);
  for (const voltage of points) {
    const { value, source } = await cache.generateDetailed(
      "example.sweep",
      { model: 1, voltage },
      () => simulate(voltage),
    );
    console.log(`${process.pid} ${source} ${value.voltage} V ${value.mhz} MHz`);
  }
}

/** Starts `command` several times; prints what each says, and a sum. */
export async function sweep(command, processes) {
  const [program, ...args] = command;
  const outputs = await Promise.all(
    Array.from({ length: processes }, () => {
      const stdio = ["ignore", "pipe", "inherit"];
      const child = spawn(program, args, { stdio });
      let text = "";
      child.stdout.on("data", (piece) => {
        text += piece;
        process.stdout.write(piece);
      });
      return new Promise((resolve, reject) =>
        child.on(
          "close",
          (code) => code === 0 ? resolve(text) : reject(new Error(`${code}`)),
        )
      );
    }),
  );
  const lines = outputs.join("").trim().split("\n");
  const computed = lines.filter((line) => / (computed|uncached) /.test(line));
  console.log(
    `${POINTS.length} points, ${processes} processes: ` +
      `${computed.length} computed, ${lines.length - computed.length} found`,
  );
}
