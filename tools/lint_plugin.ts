/**
 * The rules of the house for `deno lint`, which tells them in an editor, too:
 * who imports whom, and what stands behind one file.
 *
 * @module
 */

import { posix } from "node:path";
import {
  CODE,
  COMPOSERS,
  CONCRETE_STORES,
  MODULES,
  PATHNAME,
  ROOMS,
  WORDS,
} from "./import_rules.ts";
import { pathOf, roomOf, TESTS } from "./rooms.ts";

type Context = Deno.lint.RuleContext;
type Visitor = Deno.lint.LintVisitor;

interface Place {
  readonly path: string;
  readonly room: string;
}

interface Import {
  readonly specifier: string;
  /** What it takes of the module; `*` for all of it. */
  readonly names: readonly string[];
  /** It is erased when the types are. */
  readonly typeOnly: boolean;
}

/**
 * The rules: `larder/imports`, and for what code must not say `larder/words` and,
 * of all code, `larder/paths`.
 */
const plugin: Deno.lint.Plugin = {
  name: "larder",
  rules: {
    imports: { create: (context) => inHouse(context, importsVisitor) },
    words: { create: (context) => inHouse(context, wordsVisitor) },
    paths: { create: pathsVisitor },
  },
};

export default plugin;

function inHouse(
  context: Context,
  visitor: (context: Context, place: Place) => Visitor,
): Visitor {
  const path = pathOf(context.filename);
  const isOurs = path.startsWith("src/") || path.startsWith("workers/");
  return isOurs ? visitor(context, { path, room: roomOf(path) }) : {};
}

function importsVisitor(context: Context, place: Place): Visitor {
  if (TESTS.test(place.path)) return {};
  const check = (node: Deno.lint.Node, found: Import) => {
    for (const message of faultsOf(place, found)) {
      context.report({ node, message });
    }
  };
  return {
    Program(node) {
      if (ROOMS[place.room] !== undefined) return;
      const message = `${place.room} is no known room ` +
        "(name it in tools/import_rules.ts)";
      context.report({ node, message });
    },
    ImportDeclaration(node) {
      const kinds = node.specifiers.map((specifier) =>
        specifier.type === "ImportSpecifier" ? specifier.importKind : "value"
      );
      check(node, {
        specifier: node.source.value,
        names: node.specifiers.map(importedName),
        typeOnly: node.importKind === "type" ||
          kinds.length > 0 && kinds.every((kind) => kind === "type"),
      });
    },
    ExportAllDeclaration(node) {
      const typeOnly = node.exportKind === "type";
      check(node, { specifier: node.source.value, names: ["*"], typeOnly });
    },
    ExportNamedDeclaration(node) {
      if (!node.source) return;
      const typeOnly = node.exportKind === "type";
      check(node, { specifier: node.source.value, names: ["*"], typeOnly });
    },
    ImportExpression(node) {
      const { source } = node;
      if (source.type === "Literal" && typeof source.value === "string") {
        const specifier = source.value;
        check(node, { specifier, names: ["*"], typeOnly: false });
        return;
      }
      const message = "an import() must name its module " +
        "(a computed path cannot be checked)";
      context.report({ node, message });
    },
  };
}

function importedName(
  specifier: Deno.lint.ImportDeclaration["specifiers"][number],
): string {
  if (specifier.type !== "ImportSpecifier") return "*";
  const { imported } = specifier;
  return imported.type === "Identifier" ? imported.name : `${imported.value}`;
}

function faultsOf(place: Place, found: Import): string[] {
  return found.specifier.startsWith(".")
    ? fileFaults(place, found)
    : moduleFaults(place, found);
}

function moduleFaults(
  { path, room }: Place,
  { specifier, names }: Import,
): string[] {
  const broken = MODULES.filter((rule) =>
    rule.module.test(specifier) && path !== rule.except &&
    (rule.rooms?.includes(room) ?? true) &&
    (rule.names === undefined ||
      names.some((name) => name === "*" || rule.names!.includes(name)))
  );
  return broken.map((rule) =>
    `${rule.except ? path : room} must not import ${specifier} (${rule.why})`
  );
}

function fileFaults(
  { path, room }: Place,
  { specifier, typeOnly }: Import,
): string[] {
  const target = posix.join(posix.dirname(path), specifier);
  const to = roomOf(target);
  const rule = ROOMS[room];
  // JSON, such as the version in deno.json, is data.
  if (to === room || !rule || !target.endsWith(".ts")) return [];
  const file = target.replace(/^src\//, "");
  const isAmong = (list: readonly string[] = []) =>
    list.includes(to) || list.includes(file);
  if (isAmong(rule.types)) {
    return typeOnly
      ? []
      : [`${room} must import only types of ${to} (${rule.why})`];
  }
  if (!isAmong(rule.may)) {
    return [
      `${room} must not import ${ROOMS[to] ? to : target} (${rule.why})`,
    ];
  }
  const isConcrete = CONCRETE_STORES.some((store) => store.test(target));
  if (!isConcrete || COMPOSERS.includes(room)) return [];
  const may = COMPOSERS.join(", ");
  return [
    `${room} must not name the concrete store ${target} (only ${may} may)`,
  ];
}

function wordsVisitor(context: Context, { path, room }: Place): Visitor {
  const { sourceCode } = context;
  const isTest = TESTS.test(path);
  const visitor: Visitor = {};
  for (const { code, rooms, except, inTests, why } of CODE) {
    const isFree = except?.includes(path) || isTest && !inTests ||
      rooms !== undefined && !rooms.includes(room);
    if (isFree) continue;
    visitor[code] = (node: Deno.lint.Node) => {
      if (isMerelyAName(node)) return;
      const [text] = sourceCode.getText(node).split("\n");
      const where = rooms ? room : path;
      context.report({
        node,
        message: `${where} must not use ${text} (${why})`,
      });
    };
  }
  if (!isTest && WORDS.rooms.includes(room)) {
    visitor.Program = () => {
      for (const { 0: word, index } of sourceCode.text.matchAll(WORDS.text)) {
        const range: [number, number] = [index, index + word.length];
        const message = `${room} must not say ${word} (${WORDS.why})`;
        context.report({ range, message });
      }
    };
  }
  return visitor;
}

function pathsVisitor(context: Context): Visitor {
  const { code, except, why } = PATHNAME;
  const path = pathOf(context.filename);
  if (except?.includes(path)) return {};
  return {
    [code](node: Deno.lint.Node) {
      const message = `${path} must not use pathname (${why})`;
      context.report({ node, message });
    },
  };
}

/** Whether an identifier names a property, and so refers to nothing. */
function isMerelyAName(node: Deno.lint.Node): boolean {
  if (node.type !== "Identifier") return false;
  const { parent } = node;
  switch (parent.type) {
    case "MemberExpression":
      return parent.property === node && !parent.computed;
    case "Property":
    case "MethodDefinition":
    case "PropertyDefinition":
      return parent.key === node && !parent.computed;
    case "TSPropertySignature":
    case "TSMethodSignature":
      return true;
    default:
      return false;
  }
}
