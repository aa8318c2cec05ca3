/**
 * Header blocks that six other encoders made of the same lists. The files are
 * not part of the repository: they are looked for beside it.
 */

import assert from "node:assert/strict";
import { HpackDecoder } from "../../src/http2/hpack/mod.ts";
import {
  decodeFields,
  type Field,
} from "../../src/http2/hpack/testing/collected.ts";

/** Each encoder's folder has its stories: one connection each. */
const STORIES = new URL("../../../shared/data/hpack/", import.meta.url);
const STORY_COUNT = 72;

/** One file: blocks in order, and what is in them. */
interface Story {
  readonly cases: readonly {
    readonly wire: string;
    /** Objects of one name each. */
    readonly headers: readonly Readonly<Record<string, string>>[];
  }[];
}

function findStories(): URL[] {
  try {
    return [...Deno.readDirSync(STORIES)]
      .filter((entry) => entry.isDirectory)
      .map(({ name }) => new URL(`${name}/`, STORIES))
      .flatMap((folder) =>
        [...Deno.readDirSync(folder)]
          .filter(({ name }) => /^story_\d+\.json$/.test(name))
          .map(({ name }) => new URL(name, folder))
      );
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

const stories = findStories();
if (stories.length === 0) console.log("skipped: no HPACK stories");

Deno.test({
  name: "HpackDecoder reads the stories of six other encoders",
  ignore: stories.length === 0,
  fn() {
    assert.equal(stories.length, STORY_COUNT);
    for (const url of stories) {
      const story: Story = JSON.parse(Deno.readTextFileSync(url));
      assert.ok(story.cases.length > 0, url.href);
      const decoder = new HpackDecoder({
        maxListBytes: 16_384,
        maxDecodedBytes: 65_536,
      });
      for (const [at, { wire, headers }] of story.cases.entries()) {
        const expected = headers.flatMap((header): Field[] =>
          Object.entries(header)
        );
        assert.deepEqual(
          decodeFields(decoder, Uint8Array.fromHex(wire)),
          expected,
          `${url.href}, block ${at}`,
        );
      }
    }
  },
});
