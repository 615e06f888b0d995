/** An alert as a mail. Text that people wrote is escaped. */

interface Shown {
  readonly title: string;
  readonly says: string;
  readonly hits: readonly { readonly title: string; readonly address: string }[];
  readonly address: string;
}

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

export const alertMail = (workspace: string, { title, says, hits, address }: Shown) => {
  const list = hits.map((hit) => `<li><a href="${escaped(hit.address)}">${escaped(hit.title)}</a></li>`).join("");
  return {
    subject: `${title} (${workspace})`.replaceAll(/[\r\n]+/g, " "),
    text: [says, ...(hits.length === 0 ? [] : ["", "It hits:", ...hits.map((hit) => `- ${hit.title} ${hit.address}`)]), "", address].join("\n"), // prettier-ignore
    html: `<!doctype html><html lang="en"><body style="font-family:sans-serif;max-width:640px">
<h1 style="font-size:20px">${escaped(title)}</h1><p style="font-size:16px">${escaped(says)}</p>
${hits.length === 0 ? "" : `<p style="font-size:14px">It hits:</p><ul style="font-size:14px">${list}</ul>`}
<p style="font-size:14px"><a href="${escaped(address)}">See it</a></p></body></html>`,
  };
};
