import * as cards from "#programs/cards/contract.ts";
import { askRemote, type Remote } from "./remote.ts";

/** Whether a use of AI may be released, for a build: 0 it may, 1 a check fails. Throws a refusal where it cannot be told. */
export const gateOf = async (remote: Remote, use: string): Promise<{ readonly text: string; readonly code: 0 | 1 }> => {
  const { version, passed, checks } = cards.gate.output.parse(await askRemote(remote, cards.gate.name, JSON.stringify({ use }))); // prettier-ignore
  const lines = checks.map(({ name, passed: fine, says }) => `${fine ? "passed" : "failed"}  ${name}: ${says}`);
  return { text: [`version ${version}`, ...lines].join("\n"), code: passed ? 0 : 1 };
};
