import { Table } from "@mantine/core";
import type { AnswerColumn, AnswerTable, Cell } from "#insights/common/insight.ts";
import { plain, shownCell } from "../cells.ts";
import { Scroll } from "#web/kit/scroll.tsx";

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
                {shownCell(row[index], column)}
              </Table.Td>
            ))}
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  </Scroll>
);
