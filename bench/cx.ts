import { existsSync, readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { gunzipSync } from "node:zlib";
import type { Turn } from "#programs/cx-score/scorer/conversation.ts";
import { scoreConversation } from "#programs/cx-score/scorer/score.ts";

/**
 * What the score of a conversation takes on one core: how many of 20 turns a second, and how long those of 200 turns take.
 * Their turns are those of people (STAR) and of a language model (tau-bench), cut anew into conversations of one length.
 */

const quantile = (sorted: readonly number[], share: number): string =>
  (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(2);

const cut = (turns: readonly Turn[], size: number): { readonly lang: string; readonly turns: readonly Turn[] }[] =>
  Array.from({ length: Math.min(200, Math.floor(turns.length / size)) }, (_, n) => ({
    lang: "en",
    turns: turns.slice(n * size, n * size + size).map((turn, at): Turn => ({ ...turn, r: at % 2 === 0 ? "customer" : "ai_agent" })), // prettier-ignore
  }));

const timesOf = (conversations: ReturnType<typeof cut>, rounds: number): number[] => {
  const times: number[] = [];
  for (let round = -5; round < rounds; round += 1)
    for (const one of conversations) {
      const began = performance.now();
      scoreConversation(one);
      if (round >= 0) times.push(performance.now() - began); // it is warm by then
    }
  return times.sort((a, b) => a - b);
};

export const benchCx = (_: string, args: readonly string[]): Promise<void> => {
  const file = args[0] ?? "../shared/data/satisfaction/dialogues.jsonl.gz";
  if (!existsSync(file)) throw new Error(`There is no ${file}: name a file of dialogues.`);
  const lines = gunzipSync(readFileSync(file)).toString("utf8").split("\n").filter(Boolean);
  const turnsOf = (source: string): Turn[] => lines.filter((line) => line.includes(`"${source}"`)).map((line) => JSON.parse(line) as { source: string; turns: Turn[] }).filter((one) => one.source === source).flatMap(({ turns }) => turns); // prettier-ignore
  setFlagsFromString("--no-parallel-scavenge"); // as `throughline cx score` does
  for (const [name, source] of [
    ["people", "star"],
    ["a language model", "tau-bench"],
  ] as const) {
    const turns = turnsOf(source);
    const short = timesOf(cut(turns, 20), 20);
    const each = short.reduce((sum, one) => sum + one, 0) / short.length;
    const long = timesOf(cut(turns, 200), 10);
    console.log(`turns of ${name}: ${Math.round(1_000 / each)} conversations of 20 turns a second; of 200 turns p50 ${quantile(long, 0.5)} ms, p99 ${quantile(long, 0.99)} ms (${long.length})`); // prettier-ignore
  }
  return Promise.resolve();
};
