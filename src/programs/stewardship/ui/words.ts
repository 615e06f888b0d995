import type { DataClass, Kind } from "../contract.ts";

/** Kinds of the catalog in the words of the page. */
export const kindWords: Readonly<Record<Kind, string>> = {
  event: "Event",
  property: "Property of events",
  person_trait: "Trait of people",
  account_trait: "Trait of accounts",
  metric: "Metric",
  cohort: "Cohort",
  dashboard: "Dashboard",
  query: "Saved query",
  contract: "Contract",
  source: "Source",
  model: "Model or prompt",
  flag: "Flag",
  experiment: "Experiment",
  watch: "Watch",
};

/** What a class means for those who look. */
export const classWords: Readonly<Record<DataClass, { readonly label: string; readonly means: string }>> = {
  public: { label: "Public", means: "Everybody of the workspace sees it." },
  internal: { label: "Internal", means: "Everybody of the workspace sees it." },
  personal: {
    label: "Personal",
    means: "Analysts, stewards and admins see it. Others see a token in its place, and may not ask by it.",
  },
  restricted: { label: "Restricted", means: "Stewards and admins see it. To others it is not there." },
};
