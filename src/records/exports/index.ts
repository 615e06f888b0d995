import { defineModule, handle, type Module, type WorkspaceCall } from "#kernel/module.ts";
import { FileAnswer } from "#kernel/operation.ts";
import type { Sql } from "#kernel/sql.ts";
import { scopeOf } from "#records/common/ask.ts";
import type { Ingest } from "#records/events/ingest.ts";
import * as contract from "./contract.ts";
import { exportedEvents, exportedPeople } from "./query.ts";

const files = {
  ndjson: { format: "JSONEachRow", type: "application/x-ndjson" },
  csv: { format: "CSVWithNames", type: "text/csv; charset=utf-8" },
  parquet: { format: "Parquet", type: "application/vnd.apache.parquet" },
} as const;

const earliest = Date.parse("1971-01-01");
const latest = Date.parse("2200-01-01");
const dayMs = 86_400_000;

/** What is kept, given back as files. */
export const exports = ({ ingest }: { readonly ingest: Ingest }): Module => {
  const send = async (call: WorkspaceCall, statement: Sql, format: keyof typeof files, name: string) => {
    const stream = await call.engine.stream(statement, files[format].format, { signal: call.signal });
    return new FileAnswer(`${name}.${format}`, files[format].type, stream);
  };

  return defineModule({
    name: "exports",
    operations: [
      handle(contract.events, async (call, { from, to, event, purpose, format }) => {
        const range = {
          from: from === undefined ? earliest : Date.parse(from),
          to: to === undefined ? latest : Date.parse(to) + dayMs,
        };
        return send(call, exportedEvents(await scopeOf(ingest, call), range, event, purpose), format, "events");
      }),
      handle(contract.people, async (call, { purpose, format }) =>
        send(call, exportedPeople(await scopeOf(ingest, call), purpose), format, "people"),
      ),
    ],
  });
};
