import { z } from "zod";
import { defineOperation } from "#kernel/operation.ts";

const forEvents = z.enum(["forward", "quarantine", "block"]);
const forProperties = z.enum(["forward", "omit", "quarantine", "block"]);

/** What a source does with what does not fit. */
export const Settings = z.strictObject({
  unplannedEvent: forEvents.describe("An event that no contract has, once there is a contract."),
  unplannedProperty: forProperties.describe("A property that a closed contract does not have."),
  violation: forProperties.describe("Anything else that breaks the contract."),
  pii: z
    .enum(["redact", "token", "truncate", "drop", "forward"])
    .describe(
      "Personal data in properties that no contract says are personal: masked by its type, by a token that is the same for the same value, to a part that names nobody, left out, or kept.",
    ),
  secret: z.enum(["redact", "drop", "forward"]).describe("Keys, tokens and passwords, anywhere."),
  purposes: z
    .array(z.string().trim().min(1).max(100))
    .max(20)
    .default([])
    .describe(
      "Purposes that people must have agreed to, all of them, for their events to be kept. None: it is not asked.",
    ),
  absentConsent: z
    .enum(["allow", "deny"])
    .default("allow")
    .describe("What an event that says nothing of consent means."),
  optOut: z
    .array(z.string().trim().min(1).max(100))
    .max(20)
    .default([])
    .describe("Purposes that Global Privacy Control (Sec-GPC) says no to."),
});
export type Settings = z.output<typeof Settings>;
/** As they are stored: any of them, and what an earlier version may have kept besides. */
export const StoredSettings = z
  .object({
    ...Settings.shape,
    // without the defaults: what a source does not say is as for all
    purposes: Settings.shape.purposes.unwrap(),
    absentConsent: Settings.shape.absentConsent.unwrap(),
    optOut: Settings.shape.optOut.unwrap(),
  })
  .partial();

const Status = z.enum(["proposed", "draft", "active", "deprecated", "retired"]);
const Id = z.string().min(1).max(200);
const Version = z.string().max(40);

const Change = z.object({
  code: z.string(),
  path: z.string(),
  backward: z.boolean(),
  forward: z.boolean(),
  bump: z.enum(["patch", "minor", "major"]),
});

export const Verdict = z.object({
  /** Of which event. */
  event: z.string(),
  backward: z.boolean().describe("Released producers keep working."),
  forward: z.boolean().describe("Readers keep working."),
  breaking: z.boolean(),
  bump: z.enum(["none", "patch", "minor", "major"]),
  changes: z.array(Change),
  /** Properties of an event that was right and is wrong now, and the other way round; JSON. */
  refusedNow: z.string().nullable(),
  acceptedNow: z.string().nullable(),
});
export type Verdict = z.output<typeof Verdict>;

export const ContractView = z.object({
  id: z.string(),
  version: z.string(),
  status: Status,
  name: z.string(),
  events: z.array(z.string()),
  updatedAt: z.string(),
  updatedBy: z.string(),
});
export type ContractView = z.output<typeof ContractView>;

export const list = defineOperation({
  name: "contracts.list",
  summary: "The contracts of events: their versions, the newest first, and which are active.",
  permission: "read",
  input: z.strictObject({}),
  output: z.object({ contracts: z.array(ContractView) }),
});

export const get = defineOperation({
  name: "contracts.get",
  summary: "One version of a contract, as ODCS 3.1 in YAML.",
  permission: "read",
  input: z.strictObject({ id: Id, version: Version }),
  output: z.object({ document: z.string() }),
});

const Document = z
  .string()
  .min(1)
  .max(1_000_000)
  .describe("An Open Data Contract Standard 3.1 document, YAML or JSON.");

const Used = z.union([
  z.strictObject({ kind: z.enum(["metric", "cohort", "event"]), id: z.string().min(1).max(500) }),
  z.strictObject({
    kind: z.literal("property"),
    id: z.string().min(1).max(500),
    event: z.string().min(1).max(500).optional(),
  }),
]);
const Downstream = z.object({
  kind: z.string(),
  id: z.string(),
  title: z.string(),
  address: z.string(),
  via: z.string().describe("What lies between; empty where it uses the thing itself."),
});
export type DownstreamView = z.output<typeof Downstream>;

export const check = defineOperation({
  name: "contracts.check",
  summary:
    "What a contract would change against the active version: for producers and readers, with events that show it.",
  permission: "read",
  input: z.strictObject({ document: Document }),
  output: z.object({
    id: z.string(),
    version: z.string(),
    against: z.string().nullable().describe("The active version; null where this is the first."),
    verdicts: z.array(Verdict).describe("For each event that the active version has too."),
    removed: z
      .array(z.string())
      .describe("Events of the active version that this one lacks: nothing would be asked of them any more."),
    hits: z
      .array(z.object({ used: Used, uses: z.array(Downstream) }))
      .describe("What hangs on what changes for readers or senders."),
    recent: z
      .array(z.object({ event: z.string(), looked: z.number(), fits: z.number(), messages: z.array(z.string()) }))
      .describe("How many of the latest events would fit, and what the others break."),
  }),
});

export const downstream = defineOperation({
  name: "contracts.downstream",
  summary: "What hangs on an event, a property, a metric or a cohort: metrics, cohorts, dashboards and queries.",
  permission: "read",
  input: Used,
  output: z.object({ uses: z.array(Downstream) }),
});

export const save = defineOperation({
  name: "contracts.save",
  summary: "Keeps a version of a contract. One that is active cannot be changed; raise its version.",
  permission: "govern",
  input: z.strictObject({ document: Document }),
  output: z.object({ id: z.string(), version: z.string(), status: Status }),
});

export const planFormats = ["segment", "rudderstack", "iglu", "json-schema", "csv"] as const;
const Format = z.enum(planFormats);
export type PlanFormat = z.output<typeof Format>;

export const importPlan = defineOperation({
  name: "contracts.importPlan",
  summary:
    "Takes a tracking plan of Segment, RudderStack, Iglu, JSON Schema or a table over, an event a contract, as drafts. A dry run only says what would be.",
  permission: "govern",
  input: z.strictObject({
    text: z.string().min(1).max(3_500_000).describe("The plan, JSON or CSV."),
    format: Format.optional().describe("Told by what is in it where absent."),
    dryRun: z.boolean().default(true),
  }),
  output: z.object({
    format: Format,
    contracts: z.array(
      z.object({
        id: z.string(),
        version: z.string(),
        name: z.string(),
        properties: z.number(),
        becomes: z.enum(["new", "changed", "same"]).describe("Against what the workspace keeps under this version."),
      }),
    ),
    notes: z.array(z.string()).describe("What is kept, although nothing is held against it."),
    faults: z.array(z.object({ rule: z.string(), message: z.string() })).describe("What could not be taken over."),
  }),
});

export const exportPlan = defineOperation({
  name: "contracts.exportPlan",
  summary: "Contracts as one plan in a format of others: the active ones, and where none is, the newest.",
  permission: "read",
  input: z.strictObject({
    format: Format,
    ids: z.array(Id).max(2_000).default([]).describe("Of these only; none for all."),
  }),
  output: z.object({ name: z.string(), type: z.string(), text: z.string() }),
});

export const setStatus = defineOperation({
  name: "contracts.setStatus",
  summary: "Makes a version active, deprecated or retired.",
  permission: "govern",
  input: z.strictObject({ id: Id, version: Version, status: Status }),
  output: z.object({ ok: z.literal(true) }),
});

export const learn = defineOperation({
  name: "contracts.learn",
  summary: "Proposes a contract for an event from what arrived: types, values, how often.",
  permission: "read",
  input: z.strictObject({ event: z.string().min(1).max(200), days: z.int().min(1).max(365).default(30) }),
  output: z.object({ document: z.string(), events: z.number() }),
});

export const getSettings = defineOperation({
  name: "contracts.settings",
  summary: "What is done with what does not fit: for all sources, and where one differs.",
  permission: "read",
  input: z.strictObject({}),
  output: z.object({ all: Settings, bySource: z.record(z.string(), StoredSettings) }),
});

export const setSettings = defineOperation({
  name: "contracts.setSettings",
  summary:
    "Chooses what is done with what does not fit, for all sources or for one; in place of all that was chosen there.",
  permission: "govern",
  input: z.strictObject({
    source: z.string().max(100).default("").describe("Empty for all."),
    settings: z.strictObject(StoredSettings.shape),
  }),
  output: z.object({ ok: z.literal(true) }),
});

const Group = z.object({
  event: z.string(),
  path: z.string(),
  rule: z.string(),
  keyword: z.string(),
  source: z.string(),
  contract: z.string(),
  version: z.string(),
  action: z.string(),
  library: z.string().describe("SDK that sent it, with its version; empty where it did not say."),
  release: z.string().describe("Version of the app that sent it; empty where it did not say."),
  expected: z.string(),
  actual: z.string(),
  count: z.number(),
  first: z.string(),
  last: z.string(),
});
export type ViolationGroup = z.output<typeof Group>;

export const violations = defineOperation({
  name: "contracts.violations",
  summary: "What did not fit lately, alike put together: where, how often, since when.",
  permission: "read",
  input: z.strictObject({ days: z.int().min(1).max(90).default(7), event: z.string().max(200).optional() }),
  output: z.object({ groups: z.array(Group) }),
});

const Held = z.object({
  id: z.string(),
  received: z.string(),
  source: z.string(),
  event: z.string(),
  body: z.string(),
  messages: z.array(z.string()),
});
export type HeldEvent = z.output<typeof Held>;

export const quarantine = defineOperation({
  name: "quarantine.list",
  summary: "Events that are held until somebody decides, the latest first.",
  permission: "read",
  discloses: true,
  input: z.strictObject({ event: z.string().max(200).optional(), limit: z.int().min(1).max(1_000).default(100) }),
  output: z.object({ held: z.array(Held), count: z.number() }),
});

export const castTypes = z.enum(["string", "number", "integer", "boolean"]);

/** Mends an event before it goes on. */
export const Patch = z.discriminatedUnion("op", [
  z.strictObject({ op: z.literal("rename"), property: z.string().min(1).max(500), to: z.string().min(1).max(500) }),
  z.strictObject({ op: z.literal("cast"), property: z.string().min(1).max(500), to: castTypes }),
  z.strictObject({ op: z.literal("default"), property: z.string().min(1).max(500), value: z.union([z.string(), z.number(), z.boolean()]) }),
  z.strictObject({ op: z.literal("remove"), property: z.string().min(1).max(500) }),
]); // prettier-ignore
export type Patch = z.output<typeof Patch>;

export const replay = defineOperation({
  name: "quarantine.replay",
  summary: "Mends held events and sends them on; what still does not fit stays. A dry run only counts.",
  permission: "govern",
  input: z.strictObject({
    event: z.string().min(1).max(200),
    patches: z.array(Patch).max(20).default([]),
    dryRun: z.boolean().default(true),
  }),
  output: z.object({
    held: z.number(),
    fits: z.number(),
    stays: z.array(z.object({ message: z.string(), count: z.number() })),
  }),
});
