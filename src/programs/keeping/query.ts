import { bind, sql, type Sql } from "#kernel/sql.ts";

/** What is older than so, and how it goes. Times are milliseconds since the epoch. */

export interface Going {
  readonly count: Sql;
  readonly apply: readonly Sql[];
}

const rows = (table: Sql, condition: Sql): Sql =>
  sql`SELECT toFloat64(count()) AS rows FROM ${table} WHERE ${condition}`;
const remove = (table: Sql, condition: Sql): Sql => sql`ALTER TABLE ${table} DELETE WHERE ${condition}`;
const day = (ms: number): Sql => sql`toDate(${bind.string(new Date(ms).toISOString().slice(0, 10))})`;

/** Events of these names, or of all others. */
export const oldEvents = (before: number, names: readonly string[], isOthers: boolean): Going => {
  const named = isOthers ? sql`event NOT IN ${bind.strings(names)}` : sql`event IN ${bind.strings(names)}`;
  const which = names.length === 0 ? sql`1` : named;
  const old = sql`at < ${bind.time(before)} AND ${which}`;
  return {
    count: rows(sql`events`, old),
    apply: [
      remove(sql`events`, old),
      // the day in which it begins goes with the last of its events
      remove(sql`activity_daily`, sql`day < ${day(before)} AND ${which}`),
      remove(sql`property_values`, sql`event != '' AND last < ${bind.time(before)} AND ${which}`),
    ],
  };
};

const isIn = (path: Sql, names: readonly string[]): Sql =>
  sql`arrayExists(name -> ${path} = name OR startsWith(${path}, concat(name, '.')), ${bind.strings(names)})`;

/** Values of some properties in events. */
export const oldProperties = (before: number, names: readonly string[]): Going => {
  const skipped = names.map((name) => `SKIP \`${name.replaceAll("\\", "\\\\").replaceAll("`", "\\`")}\``);
  const has = sql`arrayExists(path -> ${isIn(sql`path`, names)}, JSONAllPaths(properties))`;
  const old = sql`at < ${bind.time(before)} AND ${has}`;
  const without = sql`CAST(CAST(properties, ${bind.string(`JSON(max_dynamic_paths=256, ${skipped.join(", ")})`)}), 'JSON(max_dynamic_paths=256)')`;
  return {
    count: rows(sql`events`, old),
    apply: [
      sql`ALTER TABLE events UPDATE properties = ${without} WHERE ${old}`,
      remove(sql`property_values`, sql`event != '' AND last < ${bind.time(before)} AND ${isIn(sql`property`, names)}`),
    ],
  };
};

/** Changes of some traits. */
export const oldTraits = (before: number, subject: "person" | "account", names: readonly string[]): Going => {
  const old = sql`subject = ${bind.string(subject)} AND at < ${bind.time(before)} AND ${isIn(sql`trait`, names)}`;
  return {
    count: rows(sql`trait_changes`, old),
    apply: [
      remove(sql`trait_changes`, old),
      ...(subject === "person" ? [remove(sql`property_values`, sql`event = '' AND last < ${bind.time(before)} AND ${isIn(sql`property`, names)}`)] : []), // prettier-ignore
    ],
  };
};

/** Held events; with names those that hold such a property, or traits. */
export const oldHeld = (before: number, sensitive: readonly string[] | undefined): Going => {
  const paths = sql`arrayMap(key -> key, JSONExtractKeys(body, 'properties'))`;
  const roots = sensitive?.map((name) => name.split(".")[0] ?? name) ?? [];
  const isSensitive = sql`(hasAny(${paths}, ${bind.strings(roots)}) OR JSONLength(body, 'personTraits') > 0 OR JSONLength(body, 'accountTraits') > 0)`;
  const old = sql`quarantine.received < ${bind.time(before)} AND ${sensitive === undefined ? sql`1` : isSensitive}`;
  return { count: rows(sql`quarantine`, old), apply: [remove(sql`quarantine`, old)] };
};

export const oldLetters = (before: number): Going => {
  const old = sql`dead_letters.received < ${bind.time(before)}`;
  return { count: rows(sql`dead_letters`, old), apply: [remove(sql`dead_letters`, old)] };
};

/** What was written in conversations whose last part is older; that they were, and how they went, stays. */
export const oldConversations = (before: number): Going => {
  const old = sql`conversation IN (SELECT conversation FROM conversation_parts GROUP BY conversation HAVING max(at) < ${bind.time(before)})`;
  return {
    count: rows(sql`conversation_parts`, old),
    apply: [
      // parts go last: they tell which conversations these are
      sql`ALTER TABLE conversations UPDATE subject = '' WHERE subject != '' AND id IN (SELECT conversation FROM conversation_parts WHERE ${old})`,
      sql`ALTER TABLE cx_scores UPDATE summary = '' WHERE summary != '' AND ${old}`,
      sql`ALTER TABLE cx_judgements UPDATE reason = '' WHERE reason != '' AND ${old}`,
      remove(sql`conversation_parts`, old),
    ],
  };
};
