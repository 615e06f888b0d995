import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate } from "node:zlib";
import { Refusal } from "#kernel/refusal.ts";

/** No body may be larger than this, before or after it is unpacked. */
export const bodyLimit = 20 * 1024 * 1024;

const unpackers = { gzip: promisify(gunzip), deflate: promisify(inflate), br: promisify(brotliDecompress) } as const;

const tooLarge = (): Refusal =>
  new Refusal(
    "body.too_large",
    `A body may have ${bodyLimit / 1024 / 1024} MiB, unpacked. Send smaller batches.`,
    { limit: bodyLimit },
    413,
  );

const isGzip = (bytes: Buffer): boolean => bytes.length > 2 && bytes[0] === 0x1f && bytes[1] === 0x8b;

/** Unpacks by header, or by gzip's magic bytes where a browser may not set the header. Stops at the limit. */
export const unpack = async (bytes: Buffer, encoding: string | undefined): Promise<Buffer> => {
  const named =
    encoding !== undefined && Object.hasOwn(unpackers, encoding) ? (encoding as keyof typeof unpackers) : undefined;
  const how = isGzip(bytes) ? "gzip" : named === "gzip" ? undefined : named;
  if (how === undefined) return bytes;
  try {
    return await unpackers[how](bytes, { maxOutputLength: bodyLimit });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : "";
    if (code === "ERR_BUFFER_TOO_LARGE") throw tooLarge();
    throw new Refusal("body.not_packed", `The body is not valid ${how}.`, {}, 400);
  }
};

const fromBase64 = (text: string): string => {
  const plain = text.replaceAll(" ", "+").replaceAll("-", "+").replaceAll("_", "/");
  if (!/^[A-Za-z0-9+/\s]+=*$/.test(plain)) return text;
  const bytes = Buffer.from(plain, "base64");
  return isGzip(bytes) ? "" : bytes.toString("utf8");
};

const looksLikeJson = (text: string): boolean => /^\s*[[{]/.test(text);

/** The `data` field of a form or query: JSON, or base64 of it. */
export const decodeDataField = (text: string): string => (looksLikeJson(text) ? text : fromBase64(text));

/** The text of a body: JSON, newline-delimited JSON, a form with `data=`, or base64 of JSON. */
export const bodyText = async (bytes: Buffer, encoding: string | undefined): Promise<string> => {
  if (bytes.length > bodyLimit) throw tooLarge();
  const text = (await unpack(bytes, encoding)).toString("utf8").replace(/^\uFEFF/, "");
  if (looksLikeJson(text)) return text;
  if (/^(data|json|compression|verbose|ip|_)=|&data=/.test(text)) {
    const data = new URLSearchParams(text).get("data");
    if (data !== null) {
      const packed = Buffer.from(data.replaceAll(" ", "+"), "base64");
      return isGzip(packed) ? (await unpack(packed, "gzip")).toString("utf8") : decodeDataField(data);
    }
  }
  return fromBase64(text);
};

/** Parses JSON, or one JSON object a line. */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    if (lines.length > 1) {
      try {
        return lines.map((line) => JSON.parse(line) as unknown);
      } catch {
        // the first error says more
      }
    }
    const why = error instanceof Error ? error.message.slice(0, 200) : "";
    throw new Refusal("body.not_json", `The body is not valid JSON: ${why}.`, {}, 400);
  }
};
