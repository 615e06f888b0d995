import { createTransport } from "nodemailer";
import { Refusal } from "./refusal.ts";

export interface Mail {
  readonly to: { readonly name: string; readonly address: string };
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** Where one request ends such mail (RFC 8058). */
  readonly stopUrl?: string;
}

/** Sends mail, where a mail server is configured. */
export interface Mailer {
  readonly isReady: boolean;
  /** Resolves when the server has taken it. Throws `mail.not_configured` or `mail.not_taken`. */
  send(mail: Mail): Promise<void>;
}

const waitMs = 20_000;

export const createMailer = (url: string | undefined, from: string): Mailer => {
  if (url === undefined)
    return {
      isReady: false,
      send: () =>
        Promise.reject(
          new Refusal("mail.not_configured", "No mail server is set. Set THROUGHLINE_SMTP_URL and restart."),
        ),
    };
  const transport = createTransport(
    {
      url,
      connectionTimeout: waitMs,
      greetingTimeout: waitMs,
      socketTimeout: waitMs,
      disableFileAccess: true,
      disableUrlAccess: true,
    },
    { from },
  );
  return {
    isReady: true,
    send: async ({ stopUrl, ...mail }) => {
      const stop = stopUrl === undefined ? {} : { list: { unsubscribe: { url: stopUrl, comment: "Stop" } }, headers: { "List-Unsubscribe-Post": "List-Unsubscribe=One-Click" } }; // prettier-ignore
      await transport.sendMail({ ...mail, ...stop }).catch((error: unknown) => {
        const said = error instanceof Error ? error.message : String(error);
        throw new Refusal("mail.not_taken", `The mail server did not take the mail: ${said.slice(0, 300)}`, {}, 503);
      });
    },
  };
};
