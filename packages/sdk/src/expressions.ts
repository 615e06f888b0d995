import { RE2JS } from "re2js";
import type { Expressions } from "./conditions.ts";

/** Regular expressions as the engine reads them (RE2): they take time in proportion to the text. A dot takes line breaks too. */
export const expressions: Expressions = (expression) => {
  const compiled = RE2JS.compile(expression, RE2JS.DOTALL);
  return (text) => compiled.matcher(text).find();
};
