import { Table } from "@mantine/core";
import type { ReactNode } from "react";
import { Scroll } from "./scroll.tsx";

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => ReactNode;
  readonly numeric?: boolean;
}

/** Every number of a chart, for reading, copying and screen readers. */
export function DataTable<Row>({
  caption,
  columns,
  rows,
}: {
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
}) {
  return (
    <Scroll label={caption} maxHeight={480}>
      <Table stickyHeader verticalSpacing={4} style={{ fontVariantNumeric: "tabular-nums" }}>
        <Table.Caption c="var(--mantine-color-text)">{caption}</Table.Caption>
        <Table.Thead>
          <Table.Tr>
            {columns.map((column) => (
              <Table.Th key={column.title} ta={column.numeric === true ? "right" : "left"}>
                {column.title}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map((row, index) => (
            <Table.Tr key={index}>
              {columns.map((column) => (
                <Table.Td key={column.title} ta={column.numeric === true ? "right" : "left"}>
                  {column.cell(row)}
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Scroll>
  );
}
