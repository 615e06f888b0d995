import { createHash, createHmac } from "node:crypto";
import type { FastifyRequest } from "fastify";

/** What both ways of asking for flags share. */

const streamLifeMs = 3_600_000;

/** Secret keys are kept as this alone. */
export const hashOfKey = (key: string): string => createHash("sha256").update(key).digest("hex");

/** A key as a bearer token or in `X-API-Key`. */
export const keyOf = (request: FastifyRequest): string | undefined => {
  const given = request.headers["x-api-key"];
  return /^Bearer (.+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? (typeof given === "string" ? given : undefined); // prettier-ignore
};

/** Of the answer itself, since clients keep it when their context changes. */
export const etagOf = (answer: string): string => `"${createHash("sha256").update(answer).digest("base64url").slice(0, 27)}"`; // prettier-ignore

export const isKnown = (given: string | undefined, etag: string): boolean =>
  given !== undefined && given.split(",").some((one) => one.trim().replace(/^W\//, "") === etag);

export const streamSignature = (secret: string, workspace: string, until: number): string =>
  createHmac("sha256", secret).update(`flags.stream ${workspace} ${until}`).digest("base64url");

/** Where a client hears of changes. Browsers send no headers with a stream, so its address carries what lets it in, for an hour. */
export const streamOf = ({ workspace, secret }: { readonly workspace: string; readonly secret: string }) => {
  // of the full hour, so that asking again does not break the stream
  const until = (Math.floor(Date.now() / streamLifeMs) + 2) * streamLifeMs;
  const token = `${workspace}.${until}.${streamSignature(secret, workspace, until)}`;
  return { type: "sse", endpoint: { requestUri: `/ofrep/v1/events?token=${encodeURIComponent(token)}` }, inactivityDelaySec: 120 }; // prettier-ignore
};
