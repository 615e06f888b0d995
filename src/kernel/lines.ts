import { StringDecoder } from "node:string_decoder";

/**
 * The lines of a stream, without what ends them: `\n` or `\r\n` and nothing else. (`readline` of Node 24 also cuts at U+2028 and U+2029,
 * which stand as they are within JSON.) What follows the last end is a line where it is not empty. Of a line longer than
 * `longest` characters the first `longest` + 1 are given and the rest is not kept.
 */
export async function* linesIn(
  chunks: AsyncIterable<string | Uint8Array>,
  longest = Infinity,
): AsyncGenerator<string, void> {
  const decoder = new StringDecoder("utf8");
  let held = "";
  const take = (text: string): void => {
    if (held.length <= longest) held += text.length > longest ? text.slice(0, longest + 1) : text;
  };
  const given = (): string => {
    const line = held.length > longest ? held.slice(0, longest + 1) : held.endsWith("\r") ? held.slice(0, -1) : held;
    held = "";
    return line;
  };
  for await (const chunk of chunks) {
    const text = typeof chunk === "string" ? chunk : decoder.write(chunk);
    let from = 0;
    for (let to = text.indexOf("\n"); to !== -1; to = text.indexOf("\n", from)) {
      take(text.slice(from, to));
      from = to + 1;
      yield given();
    }
    take(text.slice(from));
  }
  take(decoder.end());
  if (held !== "") yield given();
}
