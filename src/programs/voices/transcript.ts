/** A text of who said what, as people write it down: `Name: what they said`, a line or a paragraph each. */

export interface Said {
  readonly speaker: string;
  readonly text: string;
  readonly isOurs: boolean;
}

const speakers =
  /^\s*(?:\[?\d{1,2}:\d{2}(?::\d{2})?\]?\s*[-–]?\s*)?(?<speaker>[\p{L}][\p{L}\p{N} .'’()-]{0,40}):\s*(?<text>.*)$/u;
const ourWords = new Set(["q", "me", "interviewer", "us", "host", "researcher", "sales", "rep", "agent", "moderator"]);

/** Parts of a transcript. `ours` are the names of those who ask; a text without speakers is one part of the customer's. */
export const partsOf = (text: string, ours: readonly string[]): Said[] => {
  const own = new Set(ours.map((name) => name.trim().toLowerCase()).filter((name) => name !== ""));
  const isOurs = (speaker: string): boolean => own.has(speaker.toLowerCase()) || (own.size === 0 && ourWords.has(speaker.toLowerCase())); // prettier-ignore
  const parts: { speaker: string; lines: string[] }[] = [];
  for (const line of text.split(/\r?\n/)) {
    const { groups } = speakers.exec(line) ?? {};
    const last = parts.at(-1);
    if (groups?.["speaker"] !== undefined)
      parts.push({ speaker: groups["speaker"].trim(), lines: [groups["text"] ?? ""] });
    else if (last === undefined) parts.push({ speaker: "", lines: [line] });
    else last.lines.push(line);
  }
  return parts.map(({ speaker, lines }) => ({ speaker, text: lines.join("\n").trim(), isOurs: isOurs(speaker) })).filter((part) => part.text !== ""); // prettier-ignore
};
