import { parse } from "yaml";
import { failedTests, Policy } from "#kernel/policy.ts";
import { Refusal } from "#kernel/refusal.ts";

/** Reads a policy, or says where it is wrong (`policy.text`, `policy.shape`). */
export const readPolicy = (text: string): Policy => {
  let content: unknown;
  try {
    content = parse(text, { maxAliasCount: 100 });
  } catch (error) {
    throw new Refusal("policy.text", `This is no YAML: ${error instanceof Error ? error.message.slice(0, 300) : "it cannot be read"}`); // prettier-ignore
  }
  const read = Policy.safeParse(content);
  if (read.success) return read.data;
  const faults = read.error.issues.slice(0, 10).map(({ path, message }) => `${path.join(".") || "the document"}: ${message}`); // prettier-ignore
  throw new Refusal("policy.shape", `This is no policy: ${faults.join("; ")}`, { faults });
};

/** Throws `policy.tests` where a policy does not do what its own tests say. */
export const demandTests = (policy: Policy): void => {
  const failed = failedTests(policy);
  if (failed.length > 0) throw new Refusal("policy.tests", `${failed.length} of ${policy.tests.length} tests fail. ${failed.slice(0, 5).join(" ")}`, { failed }); // prettier-ignore
};
