/** What a statement is. */
export const statementTypes = ["problem", "request", "praise", "job"] as const;
export type StatementType = (typeof statementTypes)[number];
