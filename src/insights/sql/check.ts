import { Refusal } from "#kernel/refusal.ts";

/**
 * What may stand in a query that somebody wrote. First its words, so that it is one statement and reads here as it does
 * in the engine; then its tree, as the engine's own parser sees it. Both say what is allowed, not what is forbidden.
 */

const refuse = (what: string): never => {
  throw new Refusal("sql.not_allowed", what);
};

const lineOf = (text: string, place: number): number => text.slice(0, place).split("\n").length;

/** One part of the text: a comment, a quoted text or name, or a character. */
const part =
  /--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S])*"|`(?:[^`\\]|\\[\s\S])*`|[\s\S]/g;

/** The query without its comments. Refuses what would end the statement or read otherwise in the engine. */
export const oneStatement = (text: string): string => {
  const written = text.replace(/[\s;]+$/, "");
  const kept = [...written.matchAll(part)].map(({ 0: token, index }) => {
    const where = `Line ${lineOf(written, index)}:`;
    // lines stay where they are, so that what the engine says of them is true of the text
    if (token.startsWith("--") || token.startsWith("/*")) return token.replaceAll(/[^\n]/g, "") || " ";
    if (token.length > 1) {
      if (!token.startsWith("'") && /[\p{Cc}\\]/u.test(token))
        refuse(`${where} a quoted name holds a character that no name may have.`);
      return token;
    }
    if (token === ";") refuse(`${where} one statement at a time; take out the semicolon.`);
    if (token === "'" || token === '"' || token === "`") refuse(`${where} a quote is not closed.`);
    if (token === "/" && written[index + 1] === "*") refuse(`${where} a comment is not closed.`);
    if (token === "{" || token === "}") refuse(`${where} parameters in braces cannot be used here.`);
    if (token === "$" || token === "#" || token === "\\" || token === "@")
      refuse(`${where} ${token} cannot stand here.`);
    return token;
  });
  const statement = kept.join("").trimEnd();
  if (statement.trim() === "") refuse("There is no query.");
  return statement;
};

/** A node of the engine's tree: what it is, what it names, how deep it lies. */
interface Node {
  readonly depth: number;
  readonly type: string;
  readonly name: string;
}

/** Nodes that carry nothing but structure. APPLY is none: the tree does not say which function it applies. */
const structure = new Set([
  "SelectWithUnionQuery", "SelectIntersectExceptQuery", "SelectQuery", "ExpressionList", "Subquery", "WithElement",
  "TablesInSelectQuery", "TablesInSelectQueryElement", "TableExpression", "TableJoin", "ArrayJoin", "Identifier", "Literal",
  "Asterisk", "QualifiedAsterisk", "ColumnsRegexpMatcher", "ColumnsListMatcher", "QualifiedColumnsRegexpMatcher",
  "QualifiedColumnsListMatcher", "ColumnsTransformerList", "ColumnsExceptTransformer", "ColumnsReplaceTransformer",
  "ColumnsReplaceTransformer::Replacement", "OrderByElement", "InterpolateElement", "WindowDefinition",
  "WindowListElement", "StorageOrderByElement", "ExpressionElement", "DataType", "NameTypePair",
]); // prettier-ignore

/** Functions that stand for a table. */
const tableFunctions = new Set(["numbers", "zeros", "generateseries", "generate_series", "values"]);

const membership = new Set(["in", "notin", "globalin", "globalnotin", "nullin", "notnullin", "globalnullin", "globalnotnullin", "inignoreset", "notinignoreset"]); // prettier-ignore

/** `sumIf`, `uniqMergeState`: what stands at the end of an aggregate's name. */
const combinators =
  /(If|Array|Map|SimpleState|State|Merge|MergeState|ForEach|Distinct|OrDefault|OrNull|Resample|ArgMin|ArgMax)$/;

const isFunction = (name: string, known: ReadonlySet<string>): boolean => {
  if (known.has(name.toLowerCase())) return true;
  const shorter = name.replace(combinators, "");
  return shorter !== name && shorter !== "" && isFunction(shorter, known);
};

const readNode = (line: string): Node => {
  const depth = line.length - line.trimStart().length;
  const [type = "", ...rest] = line
    .trim()
    .replace(/ \(children \d+\)$/, "")
    .split(" ");
  return { depth, type, name: rest.join(" ").replace(/ \(alias [\s\S]*\)$/, "") };
};

const parentOf = (nodes: readonly Node[], place: number): Node | undefined => {
  const depth = nodes[place]?.depth ?? 0;
  for (let before = place - 1; before >= 0; before -= 1) {
    const node = nodes[before];
    if (node !== undefined && node.depth < depth) return node;
  }
  return undefined;
};

/** Names of the engine for parts of the syntax, which are no functions of their own list. */
const syntax = new Set(["lambda", "exists", "grouping", "cast", "_cast", "interval"]);

/**
 * Refuses a tree that holds anything but SELECTs over unqualified tables with known functions. `lines` are those of the
 * engine's EXPLAIN AST; `functions` the names, in lower case, of those that only compute.
 */
export const checkTree = (lines: readonly string[], functions: ReadonlySet<string>): void => {
  const nodes = lines.map(readNode);
  nodes.forEach(({ type, name }, place) => {
    if (type === "TableIdentifier") {
      if (name.includes(".") && name !== "system.one") refuse(`${name}: tables are named without a database.`);
    } else if (type === "Function") {
      if (parentOf(nodes, place)?.type === "TableExpression") {
        if (!tableFunctions.has(name.toLowerCase())) refuse(`${name}() is no table that can be asked.`);
      } else if (!syntax.has(name.toLowerCase()) && !isFunction(name, functions)) {
        refuse(`The function ${name} cannot be used here.`);
      }
      if (membership.has(name.toLowerCase())) checkMembership(nodes, place);
    } else if (type === "Set") refuse("A query cannot change settings.");
    else if (!structure.has(type)) refuse(`${type} cannot be used here.`);
  });
};

/** `x IN t` reads a table by a name that is none in the tree, so that it is refused. */
const checkMembership = (nodes: readonly Node[], place: number): void => {
  const list = nodes[place + 1];
  if (list === undefined) return;
  const after = nodes.slice(place + 2);
  const end = after.findIndex(({ depth }) => depth <= list.depth);
  const given = after.slice(0, end < 0 ? after.length : end).filter(({ depth }) => depth === list.depth + 1);
  if (given.slice(1).some(({ type }) => type === "Identifier" || type === "TableIdentifier"))
    refuse("Write IN (SELECT … FROM table) rather than IN table.");
};
