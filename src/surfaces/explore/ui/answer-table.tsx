import { Table } from "@mantine/core";
import type { AnswerColumn, AnswerTable, Cell } from "#insights/common/insight.ts";
import { Scroll } from "#web/kit/scroll.tsx";

const number = (value: number): string => value.toLocaleString(undefined, { maximumFractionDigits: 2 });
const percent = (share: number): string => `${(share * 100).toLocaleString(undefined, { maximumFractionDigits: 1 })} %`;
const duration = (seconds: number): string => {
  const units = [["d", 86_400], ["h", 3_600], ["min", 60], ["s", 1]] as const; // prettier-ignore
  const [name, size] = units.find(([, length]) => seconds >= length) ?? ["s", 1];
  return `${(seconds / size).toLocaleString(undefined, { maximumFractionDigits: 1 })} ${name}`;
};

const formats = { number, share: percent, seconds: duration } as const;

const plain = (cell: Cell | undefined): { value: string | number | null; mark: string } => {
  if (typeof cell === "object" && cell !== null) return cell;
  return { value: cell ?? null, mark: "" };
};

const shown = (cell: Cell | undefined, { format }: AnswerColumn): string => {
  const { value, mark } = plain(cell);
  if (value === null) return cell === undefined ? "" : "–";
  if (typeof value === "string") return value + mark;
  return `${format === undefined ? value : formats[format](value)}${mark}`;
};

const shade = (cell: Cell | undefined, { heat }: AnswerColumn): { backgroundColor: string } | undefined => {
  const { value } = plain(cell);
  if (heat !== true || typeof value !== "number") return undefined;
  const strength = Math.round(Math.min(1, value) * 45);
  return { backgroundColor: `color-mix(in srgb, var(--mantine-color-indigo-5) ${strength}%, transparent)` };
};

/** The numbers of an answer, for reading, copying and screen readers. */
export const NumbersTable = ({ table }: { table: AnswerTable }) => (
  <Scroll label={table.caption} maxHeight={480}>
    <Table stickyHeader verticalSpacing={4} style={{ fontVariantNumeric: "tabular-nums", whiteSpace: "nowrap" }}>
      <Table.Caption c="var(--mantine-color-text)" style={{ whiteSpace: "normal" }}>
        {table.caption}
      </Table.Caption>
      <Table.Thead>
        <Table.Tr>
          {table.columns.map((column, index) => (
            <Table.Th key={index} ta={column.format === undefined ? "left" : "right"}>
              {column.title}
            </Table.Th>
          ))}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {table.rows.map((row, place) => (
          <Table.Tr key={place}>
            {table.columns.map((column, index) => (
              <Table.Td
                key={index}
                ta={column.format === undefined ? "left" : "right"}
                style={shade(row[index], column)}
              >
                {shown(row[index], column)}
              </Table.Td>
            ))}
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  </Scroll>
);
