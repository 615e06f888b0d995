import type { Checkpoint, Entry, Head } from "../audit/chain.ts";
/**
 * State: what people define and decide. Ids and times are text (times ISO 8601 in UTC), JSON is text, booleans are 0/1,
 * so that one schema and one set of migrations serve SQLite and PostgreSQL.
 */
export interface State {
  workspaces: {
    id: string;
    name: string;
    /** Its database in the engine. */
    database: string;
    /** Key from which the ids of people are derived; never leaves the server. */
    secret: string;
    zone: string;
    week_start: string;
    is_demo: number;
    /** Members must have proven themselves by more than a password. */
    demands_second_factor: number;
    /** Where its data has to stay; empty for anywhere. */
    region: string;
    created_at: string;
    removed_at: string | null;
  };
  members: { id: string; email: string; name: string; password: string; created_at: string };
  memberships: {
    workspace: string;
    member: string;
    role: string;
    created_at: string;
    /** Teams, products, purposes and region, as JSON; null for none. */
    attributes: string | null;
  };
  sessions: {
    hash: string;
    member: string;
    created_at: string;
    expires_at: string;
    /** Whether somebody else vouched for the member: single sign-on. */
    vouched: number;
  };
  /** Whom an identity of a single sign-on provider stands for. */
  sign_ons: { issuer: string; subject: string; member: string; at: string };
  second_factors: {
    member: string;
    /** Base32, as the authenticator app has it. */
    secret: string;
    /** Null until a code of it was given. */
    confirmed_at: string | null;
    /** The step of time whose code counted last: none before it counts again. */
    last_step: number;
    /** Hashes of recovery codes that are left, as JSON. */
    recovery: string;
  };
  api_keys: {
    id: string;
    workspace: string;
    name: string;
    prefix: string;
    hash: string;
    role: string;
    created_by: string;
    created_at: string;
    revoked_at: string | null;
    /** Null for never. */
    expires_at: string | null;
    /** As of memberships. */
    attributes: string | null;
  };
  sources: {
    id: string;
    workspace: string;
    name: string;
    kind: string;
    product: string;
    /** Public by nature: it stands in the pages of the sender. */
    write_key: string;
    created_at: string;
    disabled_at: string | null;
  };
  dashboards: {
    id: string;
    workspace: string;
    name: string;
    tiles: string;
    view: string;
    created_by: string;
    created_at: string;
    updated_at: string;
  };
  /** A dashboard that is sent to members, again and again. */
  schedules: {
    id: string;
    workspace: string;
    dashboard: string;
    /** Ids of members, as JSON. */
    members: string;
    /** When: every day, week or month, at an hour of a zone; as JSON. */
    rhythm: string;
    next_at: string;
    /** Tries since it last went out. */
    tries: number;
    sent_at: string | null;
    problem: string;
    created_by: string;
    created_at: string;
  };
  contracts: {
    workspace: string;
    id: string;
    version: string;
    status: string;
    /** The whole contract as JSON; `text` as it was written, with its comments. */
    document: string;
    text: string;
    updated_by: string;
    updated_at: string;
  };
  /** Who sees which classes how: every policy that a workspace has had, the last of which holds. */
  policies: {
    workspace: string;
    /** 1, 2, 3 … */
    number: number;
    version: string;
    /** As JSON, and as it was written. */
    document: string;
    text: string;
    set_by: string;
    set_at: string;
  };
  /** What names of properties and traits are classed as: by a steward, or by a contract (its id) while it is active. */
  classifications: {
    workspace: string;
    /** event, person or account. */
    holder: string;
    name: string;
    class: string;
    origin: string;
    /** Why, in the words of whoever decided. */
    note: string;
    decided_by: string;
    decided_at: string;
  };
  /** How long things are kept, as JSON; and what went when it was last looked. */
  keeping: { workspace: string; settings: string; last_at: string | null; went: string };
  /** What data of people is used for. Only ever added to; of each purpose the last counts. */
  purposes: {
    workspace: string;
    number: number;
    purpose: string;
    basis: string;
    version: string;
    text: string;
    set_by: string;
    set_at: string;
  };
  /** Events that were not kept for want of consent. */
  consent_drops: { workspace: string; day: string; source: string; events: number };
  /** What an event, a property or a trait is, and who answers for it. */
  catalog_notes: {
    workspace: string;
    /** event, property, person_trait or account_trait. */
    kind: string;
    name: string;
    owner: string;
    description: string;
    updated_by: string;
    updated_at: string;
  };
  /** Properties and traits whose stored values look personal, and what a steward said of that. It holds no value. */
  findings: {
    workspace: string;
    kind: string;
    name: string;
    type: string;
    detector: string;
    hits: number;
    looked: number;
    /** open or dismissed. */
    state: string;
    found_at: string;
    judged_by: string;
  };
  /** What the last look at a workspace's data found, as JSON. */
  quality_reports: { workspace: string; at: string; report: string };
  /** What was wrong, from when to when; null while it is. */
  quality_incidents: {
    id: string;
    workspace: string;
    key: string;
    kind: string;
    event: string;
    property: string | null;
    says: string;
    began_at: string;
    ended_at: string | null;
    notified_at: string | null;
  };
  /** How good data is to be, over how many days. */
  quality_slas: {
    id: string;
    workspace: string;
    name: string;
    /** Empty for all events. */
    event: string;
    /** Of faults, as JSON. */
    kinds: string;
    target: number;
    days: number;
    made_at: string;
  };
  /** Where alerts go: to members by mail, or to an address. */
  channels: {
    id: string;
    workspace: string;
    name: string;
    kind: string;
    /** Ids, as JSON. */
    members: string;
    owners: number;
    address: string;
    secret: string;
    made_at: string;
  };
  alert_deliveries: {
    id: string;
    workspace: string;
    channel: string;
    key: string;
    body: string;
    at: string;
    state: string;
    tries: number;
    next_at: string;
    problem: string;
  };
  /** What decides or writes by a model, as people put it into the register. */
  ai_uses: {
    id: string;
    workspace: string;
    /** All that is said of it, as JSON. */
    content: string;
    version: string;
    registered_by: string;
    registered_at: string;
  };
  /** How versions were measured; only ever added to. */
  evaluations: {
    workspace: string;
    number: number;
    use_id: string;
    version: string;
    content: string;
    made_by: string;
    made_at: string;
  };
  /** Where flags are decided, each with the key that clients ask with. */
  flag_environments: {
    workspace: string;
    name: string;
    /** In the order in which they were made. */
    number: number;
    client_key: string;
    /** SHA-256 of the secret key, in hexadecimal; null where it has none. */
    server_key_hash: string | null;
    made_at: string;
    /** 1 where what changes in it has to be looked at by somebody else first. */
    needs_review: number;
  };
  /** The parts that units were put into, of splits that remember. */
  flag_assignments: {
    workspace: string;
    environment: string;
    /** Keyed hash of who or what was put there. */
    unit: string;
    /** Of which split: the flag's key and the number of its assignment. */
    assignment: string;
    variation: string;
    made_at: string;
  };
  flag_proposals: {
    workspace: string;
    id: string;
    flag: string;
    /** The version that it changes. */
    version: number;
    /** As JSON. */
    content: string;
    note: string;
    made_by: string;
    made_at: string;
    /** open, approved or rejected */
    state: string;
    decided_by: string | null;
    decided_at: string | null;
    reason: string;
  };
  /** As JSON; what they were before is not kept, what was changed in them is. */
  flags: {
    workspace: string;
    key: string;
    content: string;
    version: number;
    updated_at: string;
    archived_at: string | null;
  };
  experiments: {
    workspace: string;
    key: string;
    /** As JSON. */
    content: string;
    version: number;
    state: string;
    /** What was agreed at the start, as JSON. */
    agreed: string | null;
    started_at: string | null;
    ended_at: string | null;
    /** As JSON. */
    decision: string | null;
    updated_at: string;
  };
  /** What is done about conversations as they are scored. */
  cx_rules: {
    workspace: string;
    id: string;
    /** As JSON. */
    content: string;
    is_on: number;
    /** Conversations that were scored from here on are looked at; moved on as they are. */
    seen: string;
    made_by: string;
    updated_at: string;
  };
  /** Metrics that somebody wants to hear of. */
  watches: {
    workspace: string;
    id: string;
    metric: string;
    /** As JSON. */
    content: string;
    is_on: number;
    state: string;
    /** The last bucket that was looked at. */
    seen: string;
    problem: string;
    made_by: string;
    updated_at: string;
  };
  watch_firings: {
    workspace: string;
    watch: string;
    bucket: string;
    value: number;
    says: string;
    at: string;
  };
  /** Other systems that conversations come from by themselves. */
  conversation_links: {
    id: string;
    workspace: string;
    /** Source that they come through. */
    source: string;
    vendor: string;
    /** `hook`: they send; `pull`: they are asked. */
    kind: string;
    /** By which messages are signed, or which the API wants. */
    secret: string;
    /** Of the API that is asked; empty for a hook. */
    address: string;
    /** Seconds: what was changed later is asked for. */
    cursor: number;
    taken: number;
    last_at: string | null;
    problem: string;
    made_by: string;
    made_at: string;
  };
  /** Ways of scoring that are or were in use, or run in shadow. */
  cx_versions: {
    workspace: string;
    /** As rows of scores name it. */
    id: string;
    /** Version of the scorer that it is made with. */
    model: string;
    /** How its scores are moved, as JSON; empty where they are not. */
    calibration: string;
    /** `shadow`, `used` (now or before) or `dropped`. */
    state: string;
    /** When it was switched on, and whether what was scored before counts anew; as JSON, the first first. */
    activations: string;
    made_by: string;
    made_at: string;
  };
  /** The language model that judges a sample of conversations. */
  cx_judges: {
    workspace: string;
    /** With the key, as JSON. */
    settings: string;
    /** What went wrong the last time; empty for nothing. */
    problem: string;
    updated_at: string;
  };
  /** What conversations speak of, as it was found last: the words that were looked at. */
  cx_theme_models: {
    workspace: string;
    /** Which finding it was. */
    id: string;
    /** Terms and how rare they are, as JSON. */
    vocabulary: string;
    found_at: string;
  };
  /** Something that conversations speak of. */
  cx_themes: {
    workspace: string;
    id: string;
    /** What people call it; empty where they do not. */
    name: string;
    /** Terms with weights, the words that name it, size and floor, as JSON. */
    content: string;
    /** Kept when themes are found anew. */
    is_pinned: number;
    /** The theme that it counts as; empty for itself. */
    merged_into: string;
    found_at: string;
  };
  /** A rule acted on a conversation, once. */
  cx_firings: {
    workspace: string;
    rule: string;
    conversation: string;
    at: string;
    /** Member who is to look at it; empty for nobody in particular. */
    assignee: string;
    /** When somebody had looked at it. */
    done_at: string | null;
    done_by: string;
    /** Conversations are told together, once a day: the day in which it falls; empty where it was told by itself. */
    digest: string;
    /** Tag that it gets where it came from; empty for none. */
    tag: string;
    /** waiting, done or failed; empty where there is no tag. */
    tag_state: string;
    tag_tries: number;
    /** Not tried again before this. */
    tag_after: string;
    tag_problem: string;
  };
  flag_changes: {
    workspace: string;
    flag: string;
    version: number;
    /** In words, as JSON. */
    changes: string;
    note: string;
    made_by: string;
    made_at: string;
  };
  /** What people wrote on cards; only ever added to, the last counts. */
  cards: {
    workspace: string;
    number: number;
    kind: string;
    id: string;
    fields: string;
    made_by: string;
    made_at: string;
  };
  releases: {
    workspace: string;
    number: number;
    use_id: string;
    version: string;
    /** The checks as they stood, as JSON. */
    checks: string;
    note: string;
    released_by: string;
    released_at: string;
    withdrawn_at: string | null;
  };
  gate_settings: {
    workspace: string;
    /** Empty for all sources. */
    source: string;
    settings: string;
  };
  cohorts: {
    id: string;
    workspace: string;
    name: string;
    description: string;
    /** people or accounts. */
    unit: string;
    definition: string;
    size: number;
    evaluated_at: string | null;
    /** As of when its members were found, as JSON; null where everybody has to be looked at. */
    basis: string | null;
    created_by: string;
    created_at: string;
    updated_at: string;
  };
  metrics: {
    workspace: string;
    key: string;
    version: number;
    definition: string;
    /** page or files: what came from files goes when it is no longer in them. */
    origin: string;
    updated_at: string;
    removed_at: string | null;
  };
  /** Every definition that a metric has had. Only ever added to. */
  metric_versions: {
    workspace: string;
    key: string;
    version: number;
    definition: string;
    changed_by: string;
    changed_at: string;
  };
  saved_queries: {
    id: string;
    workspace: string;
    name: string;
    input: string;
    saved_by: string;
    updated_at: string;
  };
  annotations: { id: string; workspace: string; day: string; text: string; made_by: string; made_at: string };
  /** When each job of each workspace is due next, and until when somebody is at it. */
  job_turns: { job: string; workspace: string; due_at: string; busy_until: string };
  /** Requests to erase people, and how far they are. Who it is about is forgotten when it is done. */
  erasures: {
    id: string;
    workspace: string;
    state: string;
    /** Keys and ids of the people, as JSON; empty at the end. */
    subject: string;
    /** When each state was reached, as JSON. */
    reached: string;
    people: number;
    rows: number;
    /** Places that still name them, as JSON. */
    left: string;
    problem: string;
    made_by: string;
    made_at: string;
  };
  /** Keys of ids of which nothing is taken any more. */
  suppressions: { workspace: string; actor: string; at: string };
  /** Who did, read or tried what, and when: a chain for each workspace, which is only ever added to. */
  audit: Entry;
  audit_heads: Head;
  audit_checkpoints: Checkpoint;
}
