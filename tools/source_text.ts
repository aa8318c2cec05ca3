/**
 * Reads just enough TypeScript to lint imports: where code ends and comments,
 * strings and regular expressions begin, and which modules a file names.
 *
 * @module
 */

/** One `import` or `export … from` of a file. */
export interface ImportStatement {
  /** What is imported; `undefined` for an `import()` of a computed path. */
  readonly specifier: string | undefined;
  /** The names between the braces, or `*` and `default`; empty for a bare import. */
  readonly names: readonly string[];
  /** Whether the import is erased when the types are. */
  readonly typeOnly: boolean;
  /** Counted from 1. */
  readonly line: number;
}

const QUOTES = "\"'`";
/** After one of these, or at the start, a slash begins a regular expression. */
const BEFORE_REGEXP =
  /(^|[(,=:[!&|?{};+\-*%~^<>]|\b(return|typeof|case|of|in))$/;

/**
 * Blanks comments and the insides of strings and regular expressions, keeping
 * every line and column, so that a search finds code only.
 */
export function blank(source: string): string {
  const out = source.split("");
  // Each open `${`: how many braces deep it is.
  const templates: number[] = [];
  let depth = 0;
  let at = 0;

  function erase(from: number, to: number): void {
    for (let i = from; i < to && i < out.length; i++) {
      if (out[i] !== "\n") out[i] = " ";
    }
  }

  /** Steps over a quoted text and erases it; stops inside a template's `${`. */
  function skipQuoted(quote: string): void {
    const from = at;
    while (at < source.length && source[at] !== quote) {
      if (source[at] === "\\") at++;
      else if (quote === "`" && source.startsWith("${", at)) {
        erase(from, at);
        at += 2;
        templates.push(depth++);
        return;
      } else if (quote !== "`" && source[at] === "\n") break;
      at++;
    }
    erase(from, at);
    at++;
  }

  function skipRegExp(): void {
    const from = ++at;
    let inClass = false;
    while (at < source.length && source[at] !== "\n") {
      if (source[at] === "\\") at++;
      else if (source[at] === "[") inClass = true;
      else if (source[at] === "]") inClass = false;
      else if (source[at] === "/" && !inClass) break;
      at++;
    }
    erase(from, at++);
  }

  while (at < source.length) {
    const char = source[at]!;
    if (source.startsWith("//", at) || source.startsWith("/*", at)) {
      const isLine = source[at + 1] === "/";
      const end = source.indexOf(isLine ? "\n" : "*/", at + 2);
      const to = end < 0 ? source.length : isLine ? end : end + 2;
      erase(at, to);
      at = to;
    } else if (QUOTES.includes(char)) {
      at++;
      skipQuoted(char);
    } else if (
      char === "/" &&
      BEFORE_REGEXP.test(out.slice(Math.max(0, at - 80), at).join("").trimEnd())
    ) {
      skipRegExp();
    } else {
      if (char === "{") depth++;
      else if (char === "}") {
        depth--;
        if (templates.at(-1) === depth) {
          templates.pop();
          at++;
          skipQuoted("`");
          continue;
        }
      }
      at++;
    }
  }
  return out.join("");
}

/** The line of an offset, counted from 1. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let i = text.indexOf("\n"); i >= 0 && i < offset;) {
    line++;
    i = text.indexOf("\n", i + 1);
  }
  return line;
}

const NAMED = String
  .raw`(?:[\w$]+\s*,?\s*)?(?:\*(?:\s*as\s+[\w$]+)?|\{[^}]*\})?`;
const STATEMENT = new RegExp(
  String
    .raw`\b(?:import|export)\b\s*(type\b(?!\s*from\b|\s*,))?\s*(${NAMED})\s*\bfrom\s*["']` +
    String.raw`|\bimport\s*["']|(?<![.\w])import\s*\(\s*(.)`,
  "g",
);

/** The modules a file names. `code` is its {@linkcode blank}ed text. */
export function importsOf(source: string, code: string): ImportStatement[] {
  const found: ImportStatement[] = [];
  for (const match of code.matchAll(STATEMENT)) {
    const [text, typeKeyword, clause = "", dynamic] = match;
    const quoteAt = match.index + text.length - 1;
    const quote = code[quoteAt]!;
    const isLiteral = dynamic === undefined || QUOTES.includes(dynamic);
    const names = namesOf(clause);
    found.push({
      specifier: isLiteral
        ? source.slice(quoteAt + 1, code.indexOf(quote, quoteAt + 1))
        : undefined,
      names: names.map((name) => name.replace(/^type\s+/, "")),
      typeOnly: typeKeyword !== undefined ||
        names.length > 0 && names.every((name) => name.startsWith("type ")),
      line: lineAt(code, match.index),
    });
  }
  return found;
}

/** The imported names of a clause such as `a, { type B, c as d }`. */
function namesOf(clause: string): string[] {
  const [, ahead = "", rest = ""] = /^([\w$]*)\s*,?\s*(.*)$/s.exec(clause) ??
    [];
  const names = rest.replace(/[{}]/g, "").split(",")
    .map((name) => name.replace(/\bas\b.*$/s, "").trim())
    .filter((name) => name !== "");
  return ahead === "" ? names : ["default", ...names];
}
