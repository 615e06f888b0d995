import { Code } from "@mantine/core";

/** JSON in a table cell, broken wherever it must be. */
export const CodeText = ({ children }: { children: string }) => (
  <Code style={{ whiteSpace: "pre-wrap", wordBreak: "break-word" }}>{children}</Code>
);
