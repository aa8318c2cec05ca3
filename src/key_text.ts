/**
 * Keys as people see them: clients name entries by keys, and know nothing of
 * the hashes that files are named by.
 *
 * @module
 */

/** So much of a key is shown in a message: it has to stay one line. */
const MAX_SHOWN_LENGTH = 80;
/** So many digits tell a hash from the others of its time … */
const SHORT_HEX = 8;
/** … and so many characters are the number of a run, and no list of arguments. */
const SHORT_TEXT = 16;

/** Bytes in lower-case hexadecimal digits. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}

/** The text that some bytes are; `undefined` when they are none that can be shown. */
export function asText(bytes: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(bytes);
    return /^[^\p{C}\p{Z}](?:[^\p{C}]*[^\p{C}\p{Z}])?$/u.test(text)
      ? text
      : undefined;
  } catch {
    return undefined;
  }
}

/** A key: its text, or `hex:` and what `--key-hex` takes. */
export function formatKey(key: Uint8Array): string {
  const text = asText(key);
  return text === undefined || text.startsWith("hex:")
    ? `hex:${toHex(key)}`
    : text;
}

/**
 * The beginning of a key, for the log: keys can hold what is nobody's business.
 * Of a hash it is what `larder run` prints.
 */
export function formatShortKey(key: Uint8Array): string {
  const text = formatKey(key);
  const kept = text.startsWith("hex:") ? SHORT_HEX : SHORT_TEXT;
  const shown = text.replace(/^hex:/, "");
  return shown.length <= kept ? shown : `${shown.slice(0, kept)}…`;
}

/** The beginning of a text, where the whole would be too long for a message. */
export function clipped(text: string): string {
  return text.length <= MAX_SHOWN_LENGTH
    ? text
    : `${text.slice(0, MAX_SHOWN_LENGTH)}…`;
}

/** So many bytes have what is shown: a letter has 4 at most. */
const MAX_SHOWN_BYTES = 4 * (MAX_SHOWN_LENGTH + 1);

/**
 * The beginning of a key, cut between two letters where it is text: a view of
 * what {@linkcode shownKey} looks at, however long the key is.
 */
export function keyBeginning(key: Uint8Array): Uint8Array {
  if (key.length <= MAX_SHOWN_BYTES) return key;
  let end = MAX_SHOWN_BYTES;
  while (end > 0 && ((key[end]! & 0xc0) === 0x80 || key[end - 1] === 0x20)) {
    end--;
  }
  return key.subarray(0, end);
}

/** A key on a screen: its beginning, where it is long. */
export function shownKey(key: Uint8Array): string {
  return clipped(formatKey(keyBeginning(key)));
}

/** Namespace and key, for messages. */
export function formatEntry(
  { namespace, key }: { readonly namespace: string; readonly key: Uint8Array },
): string {
  return `${namespace} ${clipped(formatKey(key))}`;
}
