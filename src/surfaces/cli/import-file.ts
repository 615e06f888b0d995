import { createWriteStream, existsSync, openAsBlob } from "node:fs";
import { basename } from "node:path";
import { Refusal } from "#kernel/refusal.ts";
import { guessMapping, mappable, type Mapping } from "#records/imports/mapping.ts";
import { FileFault } from "#records/imports/rows.ts";
import { SendFault, sendFile, type RefusedRow } from "#records/imports/send.ts";

export interface ImportOptions {
  readonly file: string;
  readonly url: string;
  readonly writeKey: string;
  /** `userId=customer_id,time=date`; what it leaves out is found by the usual names. */
  readonly map?: string | undefined;
  /** Name of the event where no column holds one. */
  readonly event?: string | undefined;
  /** The rows describe people, and are no events. */
  readonly traits: boolean;
  readonly progress: (rows: number, refused: number) => void;
}

export interface ImportOutcome {
  readonly rows: number;
  readonly refused: number;
  /** Where the refused rows are, with their reasons; undefined when there are none. */
  readonly errors: string | undefined;
}

/** The mapping: what is said, and for the rest the first column with a usual name. */
export const mappingFor = (columns: readonly string[], said: string | undefined, traits = false): Mapping => {
  const given = (said ?? "")
    .split(",")
    .filter((part) => part !== "")
    .map((part) => {
      const [field = "", column = ""] = part.split("=").map((text) => text.trim());
      if (!mappable.includes(field as keyof Mapping))
        throw new Refusal("import.map", `--map knows ${mappable.join(", ")}; not ${field}.`);
      if (!columns.includes(column))
        throw new Refusal("import.map", `The file has no column ${column}. It has ${columns.join(", ")}.`);
      return [field, column] as const;
    });
  return { ...guessMapping(columns, traits), ...Object.fromEntries(given) };
};

/** Imports a file from the command line; refused rows go to a file beside it, with their reasons. */
export const importFile = async (options: ImportOptions): Promise<ImportOutcome> => {
  const { file, url, writeKey, map, event, traits, progress } = options;
  if (!existsSync(file)) throw new Refusal("import.no_file", `There is no file ${file}.`);
  const errorsPath = `${file}.errors.ndjson`;
  let errors: ReturnType<typeof createWriteStream> | undefined;
  const refused = (row: RefusedRow): void => {
    errors ??= createWriteStream(errorsPath);
    errors.write(`${JSON.stringify(row)}\n`);
  };
  try {
    const outcome = await sendFile({
      name: basename(file),
      file: await openAsBlob(file),
      url,
      writeKey,
      mapping: (columns) => mappingFor(columns, map, traits),
      kind: { traits, event },
      progress,
      refused,
    });
    return { ...outcome, errors: errors === undefined ? undefined : errorsPath };
  } catch (error) {
    if (error instanceof FileFault || error instanceof SendFault) throw new Refusal("import.failed", error.message);
    throw error;
  } finally {
    const open = errors as ReturnType<typeof createWriteStream> | undefined; // assigned in the callback
    if (open !== undefined) await new Promise<void>((resolve) => open.end(resolve));
  }
};
