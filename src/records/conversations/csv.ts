/** Conversations in a table, one part a row: rows of one conversation that follow each other are sent as one. */

type Row = Readonly<Record<string, unknown>>;

/** Which columns hold what, by the names that people give them; case and `_`, `-` and spaces do not count. */
const names = {
  conversation: ["conversationid", "conversation", "ticketid", "threadid", "caseid"],
  part: ["partid", "part", "messageid", "commentid"],
  role: ["role", "authorrole", "authortype", "sendertype", "from"],
  text: ["text", "body", "message", "content", "comment"],
  at: ["at", "time", "timestamp", "createdat", "date", "sentat"],
  author: ["author", "authorname", "sender", "sendername"],
  private: ["private", "isprivate", "internal", "note"],
  userId: ["userid", "customerid", "customer", "contactid"],
  anonymousId: ["anonymousid", "visitorid"],
  account: ["account", "accountid", "company", "companyid"],
  kind: ["kind", "conversationkind"],
  channel: ["channel"],
  language: ["language", "lang", "locale"],
  subject: ["subject", "title"],
  state: ["state", "status"],
  team: ["team", "group"],
  assignee: ["assignee", "agent"],
  tags: ["tags", "labels"],
  rating: ["rating", "csat", "satisfaction"],
} as const;
type Field = keyof typeof names;

const plainName = (name: string): string => name.toLowerCase().replaceAll(/[\s_-]/g, "");
const roles: Readonly<Record<string, string>> = { user: "customer", end_user: "customer", contact: "customer", client: "customer", visitor: "customer", agent: "teammate", admin: "teammate", human: "teammate", human_agent: "teammate", staff: "teammate", ai: "ai_agent", assistant: "ai_agent", ai_agent: "ai_agent" }; // prettier-ignore
const closed = new Set(["closed", "solved", "resolved", "done"]);
const isYes = (text: string): boolean => ["1", "true", "yes", "y"].includes(text.toLowerCase());

/** Columns of a table that hold something of a conversation. */
export const columnsOf = (columns: readonly string[]): ReadonlyMap<Field, string> => {
  const found = new Map<Field, string>();
  for (const field of Object.keys(names) as Field[]) {
    const column = names[field].flatMap((name) => columns.find((one) => plainName(one) === name) ?? [])[0];
    if (column !== undefined) found.set(field, column);
  }
  return found;
};

/** What a table lacks to be one of conversations; empty for nothing. */
export const lackOf = (columns: ReadonlyMap<Field, string>): string =>
  (["conversation", "role", "text", "at"] as const).filter((field) => !columns.has(field)).map((field) => names[field][0]).join(", "); // prettier-ignore

/** Rows of one conversation as `POST /v1/conversations` takes it. What is wrong in it is told there. */
export const conversationOfRows = (rows: readonly Row[], columns: ReadonlyMap<Field, string>): unknown => {
  const of = (row: Row | undefined, field: Field): string => {
    const value = row?.[columns.get(field) ?? ""];
    return typeof value === "string" ? value.trim() : typeof value === "number" || typeof value === "boolean" ? String(value) : ""; // prettier-ignore
  };
  const last = rows.at(-1);
  const said = (field: "account" | "kind" | "channel" | "language" | "subject" | "team" | "assignee") => (of(last, field) === "" ? {} : { [field]: of(last, field) }); // prettier-ignore
  const named = (field: "userId" | "anonymousId") => (of(last, field) === "" ? {} : { [field]: of(last, field) });
  const rating = of(last, "rating");
  return {
    id: of(last, "conversation"),
    ...named("userId"),
    ...named("anonymousId"),
    ...said("account"),
    ...said("kind"),
    ...said("channel"),
    ...said("language"),
    ...said("subject"),
    ...said("team"),
    ...said("assignee"),
    state: closed.has(of(last, "state").toLowerCase()) ? "closed" : "open",
    tags: of(last, "tags").split(/[,;|]/).map((tag) => tag.trim()).filter((tag) => tag !== ""), // prettier-ignore
    ...(rating === "" ? {} : { rating: Number(rating) }),
    parts: rows.map((row, at) => {
      const role = of(row, "role").toLowerCase().replaceAll(/[\s-]/g, "_");
      const [id, moment] = [of(row, "part"), of(row, "at")];
      // a table without ids of parts is told apart by when and in which order they were written
      return { id: id === "" ? `${moment} ${at}` : id, role: roles[role] ?? role, text: of(row, "text"), at: /^\d+$/.test(moment) ? Number(moment) : moment, private: isYes(of(row, "private")), author: of(row, "author") }; // prettier-ignore
    }),
  };
};
