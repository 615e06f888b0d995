import type { AnswerTable } from "#insights/common/insight.ts";
import { shownCell } from "#surfaces/explore/cells.ts";

/** A dashboard as a mail: each question's sentence and the newest of its numbers. Text that people wrote is escaped. */

export interface Part {
  readonly title: string;
  readonly address: string;
  readonly sentence: string;
  readonly table: AnswerTable | undefined;
}

export interface Report {
  readonly name: string;
  readonly workspace: string;
  readonly url: string;
  readonly asOf: string;
  readonly parts: readonly (Part | { readonly text: string })[];
  readonly stopUrl: string | undefined;
}

/** As many rows and columns as a mail shows; the page has all. */
const mostRows = 8;
const mostColumns = 6;

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

/** The last rows, where time goes down; they are what is new. */
const newest = ({ rows, columns }: AnswerTable) => ({
  columns: columns.slice(0, mostColumns),
  rows: rows.slice(-mostRows).map((row) => row.slice(0, mostColumns)),
  left: rows.length - Math.min(mostRows, rows.length),
});

const cellStyle = "padding:4px 12px 4px 0;border-bottom:1px solid #dee2e6;font-size:14px;text-align:left";

const tableHtml = (table: AnswerTable): string => {
  const { columns, rows, left } = newest(table);
  const head = columns.map(({ title }) => `<th style="${cellStyle}">${escaped(title)}</th>`).join("");
  const body = rows.map((row) => `<tr>${columns.map((column, place) => `<td style="${cellStyle}">${escaped(shownCell(row[place], column, "en"))}</td>`).join("")}</tr>`).join(""); // prettier-ignore
  const more = left > 0 ? `<p style="font-size:12px">${left} earlier rows are on the page.</p>` : "";
  return `<table style="border-collapse:collapse"><tr>${head}</tr>${body}</table>${more}`;
};

const partHtml = (part: Report["parts"][number]): string =>
  "text" in part
    ? `<p style="font-size:14px;white-space:pre-line">${escaped(part.text)}</p>`
    : `<h2 style="font-size:18px;margin:28px 0 4px"><a href="${escaped(part.address)}">${escaped(part.title)}</a></h2>
<p style="font-size:16px">${escaped(part.sentence)}</p>${part.table === undefined ? "" : tableHtml(part.table)}`;

const partText = (part: Report["parts"][number]): string =>
  "text" in part ? part.text : `${part.title}\n${part.sentence}\n${part.address}`;

export const reportMail = ({ name, workspace, url, asOf, parts, stopUrl }: Report) => {
  const why =
    stopUrl === undefined ? "You asked for this mail." : "A member of the workspace set up this mail for you.";
  const stop = stopUrl === undefined ? "" : ` <a href="${escaped(stopUrl)}">Stop it</a>.`;
  return {
    subject: `${name} (${workspace})`.replaceAll(/[\r\n]+/g, " "),
    text: [`${name}\nAs of ${asOf}. ${url}`, ...parts.map(partText), `${why}${stopUrl === undefined ? "" : ` Stop it: ${stopUrl}`}`].join("\n\n"),
    html: `<!doctype html><html lang="en"><body style="font-family:system-ui,sans-serif;color:#212529;max-width:720px">
<h1 style="font-size:24px"><a href="${escaped(url)}">${escaped(name)}</a></h1><p style="font-size:12px">As of ${escaped(asOf)}</p>
${parts.map(partHtml).join("\n")}
<p style="font-size:12px;margin-top:32px">${why}${stop}</p></body></html>`,
  }; // prettier-ignore
};
