import { defineModule, type Module } from "#kernel/module.ts";
import type { Outbound } from "#kernel/outbound.ts";
import type { Store } from "#kernel/state/store.ts";
import { createTagging } from "#records/conversations/tagging.ts";
import type { Ingest } from "#records/events/ingest.ts";
import type { SourceRegistry } from "#records/sources/registry.ts";
import type { Notify } from "../alerts/index.ts";
import { judgeHandlers } from "./judge/handlers.ts";
import { promptVersion } from "./judge/prompt.ts";
import { createJudge } from "./judge/work.ts";
import { labelHandlers } from "./labels.ts";
import { reportHandlers } from "./reports.ts";
import { ruleHandlers } from "./rule-handlers.ts";
import { createRules } from "./rules.ts";
import { modelVersion } from "./scorer/heads.ts";
import type { Themes } from "../themes/book.ts";
import { createBook } from "./versions/book.ts";
import { versionHandlers } from "./versions/handlers.ts";
import { scoreAll } from "./work.ts";

interface Parts {
  readonly ingest: Ingest;
  readonly registry: SourceRegistry;
  readonly store: Store;
  readonly notify: Notify;
  readonly outbound: Outbound;
  readonly themes: Themes;
}

/** CX Score: how each conversation went, from 1 to 5, and why. */
export const cxScore = ({ ingest, registry, store, notify, outbound, themes }: Parts): Module => {
  const book = createBook(store);
  const judge = createJudge(store, outbound, book);
  const rules = createRules({ store, notify, book, themes, tagging: createTagging({ store, outbound }) });
  return defineModule({
    name: "cx-score",
    jobs: [{ name: "cx.score", everyMs: 5_000, run: (call) => scoreAll(call, { ingest, registry, book, themes }) }, { name: "cx.rules", everyMs: 10_000, run: rules.run }, { name: "cx.judge", everyMs: 30_000, run: judge.run }],
    aiUses: [
      {
        id: "cx-score",
        name: "CX Score",
        kind: "model",
        version: modelVersion,
        purpose: "Scores each support conversation from 1 to 5, with what moved it and the words that show it.",
        risk: "limited",
        oversight: "Each score names its drivers and quotes. It judges conversations, not people: it is no measure of a teammate's work. How it was trained and how well it does is in docs/cx-score.md.",
        needsRelease: false,
      },
      {
        id: "cx-judge",
        name: "Judge of conversations",
        kind: "llm",
        version: String(promptVersion),
        purpose: "A language model of your choice scores a sample of conversations, to hold the CX Score against it and to calibrate it; or all of them, as a version of the score.",
        risk: "limited",
        oversight: "It is off until somebody who governs names its address; then masked text leaves for it, within a budget a day, and switching it off ends that at once. Its scores count for nothing by themselves: they stand beside what your people say, and a version that it scores, or that learnt from it, runs in shadow until it is switched on.",
        needsRelease: false,
      },
    ],
    operations: [
      ...reportHandlers({ ingest, registry, rules, book, themes }),
      ...labelHandlers(ingest, book),
      ...ruleHandlers(ingest, rules, book),
      ...versionHandlers(book, store, judge),
      ...judgeHandlers(judge),
    ],
  });
}; // prettier-ignore
