import { createHmac, randomBytes } from "node:crypto";
import { lookup as resolve, type LookupAddress } from "node:dns";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { request as httpsRequest } from "node:https";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { Refusal } from "./refusal.ts";

/**
 * The one way out to addresses that people write down. It reaches public addresses alone, decided on the address that is
 * connected to and not on the name; follows no redirect; and signs what it sends (Standard Webhooks 1.0).
 */
export interface Outbound {
  /** Whether an address may be written down at all; throws `outbound.address` or `outbound.region`. */
  check(address: string, region: string): void;
  /** Asks, and resolves with whatever was answered; throws `outbound.*` where nothing was. */
  ask(question: Question): Promise<Answer>;
  /** Sends JSON. Resolves when it was taken (2xx); throws `outbound.*` with what went wrong. */
  post(message: Message): Promise<void>;
}

export interface Message {
  readonly address: string;
  /** The same for every try, so that whoever takes it can tell a repeat. */
  readonly id: string;
  readonly body: string;
  /** `whsec_` and base64, as `newWebhookSecret` makes it. */
  readonly secret: string;
  /** Where the workspace's data has to stay; empty for anywhere. */
  readonly region: string;
  readonly now: number;
}

export interface Question {
  readonly address: string;
  readonly method: "GET" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly region: string;
  /** In all; 10 seconds where it is not said. */
  readonly waitMs?: number;
  /** Of the answer; what is longer is cut. 64 KiB where it is not said. */
  readonly mostBytes?: number;
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** It was longer than wanted. */
  readonly isCut: boolean;
}

interface Options {
  /** `host` or `host:port` that may be reached although they are not public. */
  readonly privateHosts: readonly string[];
  /** `host=REGION` for workspaces that are pinned to one. */
  readonly egress: readonly string[];
}

const usualWaitMs = 10_000;
const usualBytes = 65_536;

/** Addresses that are not of the public internet (IANA special-purpose registries, IPv4 and IPv6). */
const reserved: readonly (readonly [net: string, prefix: number])[] = [
  ["0.0.0.0", 8], ["10.0.0.0", 8], ["100.64.0.0", 10], ["127.0.0.0", 8], ["169.254.0.0", 16], ["172.16.0.0", 12],
  ["192.0.0.0", 24], ["192.0.2.0", 24], ["192.88.99.0", 24], ["192.168.0.0", 16], ["198.18.0.0", 15], ["198.51.100.0", 24],
  ["203.0.113.0", 24], ["224.0.0.0", 4], ["240.0.0.0", 4],
  ["::", 128], ["::1", 128], ["64:ff9b::", 96], ["64:ff9b:1::", 48], ["100::", 64], ["2001::", 23], ["2001:db8::", 32],
  ["2002::", 16], ["3fff::", 20], ["5f00::", 16], ["fc00::", 7], ["fe80::", 10], ["fec0::", 10], ["ff00::", 8],
]; // prettier-ignore

const blocked = new BlockList();
for (const [net, prefix] of reserved) blocked.addSubnet(net, prefix, isIP(net) === 6 ? "ipv6" : "ipv4");

/** An IPv4 address that is written as IPv6 is what it is. */
const isPublic = (address: string): boolean => {
  const family = isIP(address);
  if (family === 0) return false;
  return !blocked.check(address, family === 6 ? "ipv6" : "ipv4");
};

export const newWebhookSecret = (): string => `whsec_${randomBytes(24).toString("base64")}`;

/** `webhook-signature` of Standard Webhooks: HMAC-SHA256 over id, time and body. */
export const signatureOf = (secret: string, id: string, seconds: number, body: string): string =>
  `v1,${createHmac("sha256", Buffer.from(secret.replace(/^whsec_/, ""), "base64")).update(`${id}.${seconds}.${body}`).digest("base64")}`; // prettier-ignore

const refuse = (code: string, message: string): Refusal => new Refusal(`outbound.${code}`, message, {}, 400);

const hostOf = (url: URL): string =>
  url.hostname
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "")
    .toLowerCase();
const portOf = (url: URL): string => (url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port);

export const createOutbound = ({ privateHosts, egress }: Options): Outbound => {
  const isPrivateAllowed = (url: URL): boolean => privateHosts.some((one) => [hostOf(url), `${hostOf(url)}:${portOf(url)}`].includes(one.toLowerCase())); // prettier-ignore
  const regions = new Map(egress.map((one) => [one.slice(0, one.indexOf("=")).toLowerCase(), one.slice(one.indexOf("=") + 1)])); // prettier-ignore

  const parsed = (address: string, region: string): URL => {
    let url: URL;
    try {
      url = new URL(address);
    } catch {
      throw refuse("address", "This is no address. Write one like https://hooks.example.com/in.");
    }
    if (url.username !== "" || url.password !== "") throw refuse("address", "An address may not hold a name and a password."); // prettier-ignore
    const isAllowed = isPrivateAllowed(url);
    if (url.protocol !== "https:" && !(url.protocol === "http:" && isAllowed)) throw refuse("address", "Only https is written to."); // prettier-ignore
    if (isIP(hostOf(url)) !== 0 && !isPublic(hostOf(url)) && !isAllowed)
      throw refuse("private", `${hostOf(url)} is no public address. An administrator can allow it (THROUGHLINE_PRIVATE_HOSTS).`); // prettier-ignore
    const own = regions.get(hostOf(url));
    if (region !== "" && own !== region)
      throw refuse("region", `This workspace is pinned to ${region}; ${hostOf(url)} is ${own === undefined ? "in no region that the server was told of (THROUGHLINE_EGRESS)" : `in ${own}`}.`); // prettier-ignore
    return url;
  };

  /** Resolves a name, and gives only what may be connected to: what was looked at is what is used. */
  const guarded =
    (url: URL): LookupFunction =>
    (host, options, done) => {
      resolve(host, { all: true, verbatim: true }, (error: Error | null, found: LookupAddress[]) => {
        if (error !== null) {
          done(error, "", 0);
          return;
        }
        const fine = isPrivateAllowed(url) ? found : found.filter(({ address }) => isPublic(address));
        const [first] = fine;
        if (first === undefined || fine.length < found.length) {
          done(refuse("private", `${host} leads to an address that is not public.`), "", 0);
          return;
        }
        if (options.all === true) done(null, fine);
        else done(null, first.address, first.family);
      });
    };

  const ask = ({ address, method, headers, body, region, waitMs = usualWaitMs, mostBytes = usualBytes, signal }: Question): Promise<Answer> => {
    const url = parsed(address, region);
    const ends = AbortSignal.any([AbortSignal.timeout(waitMs), ...(signal === undefined ? [] : [signal])]);
    const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
    return new Promise((settle, fail) => {
      const fault = (error: Error): void => fail(error instanceof Refusal ? error : refuse("failed", `It could not be sent: ${error.message.slice(0, 200)}`));
      const send = url.protocol === "https:" ? httpsRequest : httpRequest;
      // an agent of its own: no connection is shared with one that was made otherwise
      const sent = send(url, { method, headers: { "user-agent": "Throughline", ...headers, ...length }, lookup: guarded(url), agent: false, signal: ends });
      sent.on("error", fault);
      sent.on("response", (answer) => {
        const chunks: Buffer[] = [];
        let [bytes, isCut] = [0, false];
        answer.on("error", fault);
        answer.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes <= mostBytes) chunks.push(chunk);
          else {
            isCut = true;
            answer.destroy();
          }
        });
        answer.on("close", () => settle({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks).toString("utf8"), isCut }));
      });
      sent.end(body);
    });
  }; // prettier-ignore

  return {
    ask,
    check: (address, region) => {
      parsed(address, region);
    },
    post: async ({ address, id, body, secret, region, now }) => {
      const seconds = Math.floor(now / 1_000);
      const headers = {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": String(seconds),
        "webhook-signature": signatureOf(secret, id, seconds, body),
      };
      const { status } = await ask({ address, method: "POST", headers, body, region });
      if (status >= 200 && status < 300) return;
      throw refuse("not_taken", `It was answered with ${status}.${status >= 300 && status < 400 ? " A redirect is not followed." : ""}`); // prettier-ignore
    },
  };
};
