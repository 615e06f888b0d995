// Writes packages/sdk/vectors.json: who falls into which part, for every way of hashing. Other clients can be held against it.
import { writeFileSync } from "node:fs";
import { bucketer } from "../packages/sdk/dist/index.js";

const hashings = ["growthbook-2", "growthbook-1", "unleash", "flagd", "optimizely", "amplitude", "statsig", "eppo", "posthog", "launchdarkly", "flagsmith", "go-feature-flag"]; // prettier-ignore
const units = ["ana", "b0b", "user-1", "user-2", "0b9d7c52-3c3e-4e34-9b0e-8d0f2f1e2a11", "zoë", "李雷", "🙂", "a longer one, with spaces and a % sign", "42"]; // prettier-ignore
const splits = [
  { weights: [1, 1], coverage: 1 },
  { weights: [1, 2, 3], coverage: 0.4 },
  { weights: [0, 1], coverage: 0.1 },
];
const vectors = hashings.flatMap((hashing) =>
  splits.map((split) => {
    const given = { hashing, seed: "new-checkout", salt: "traffic", ...split };
    const part = bucketer(given);
    return { ...given, parts: Object.fromEntries(units.map((unit) => [unit, part(unit)])) };
  }),
);
writeFileSync("packages/sdk/vectors.json", `${JSON.stringify({ format: 1, about: "parts: the index of the weight that a unit falls into; -1: outside of the coverage", vectors }, null, 1)}\n`); // prettier-ignore
