import { timingSafeEqual } from "node:crypto";
import type { FastifyInstance, FastifyReply } from "fastify";
import { z } from "zod";
import { Refusal, refusalIn } from "#kernel/refusal.ts";
import type { Store } from "#kernel/state/store.ts";
import { accountIn, type Asker, type Decide } from "./decide.ts";
import type { Evaluation } from "#sdk/evaluate.ts";
import { etagOf, isKnown, keyOf, streamOf, streamSignature } from "./http.ts";
import type { Shelf } from "./shelf.ts";

/**
 * The OpenFeature Remote Evaluation Protocol, 0.3, as its published providers speak it. Whoever has an environment's key
 * may ask what a flag is for anybody, and nothing else.
 */

interface Parts {
  readonly shelf: Shelf;
  readonly store: Store;
  readonly decide: Decide;
}

const bodyLimit = 256 * 1024;
const mostAttributes = 500;
const [beatMs, mostStreams, mostOfOne] = [25_000, 10_000, 2_000];

type Code = "PARSE_ERROR" | "TARGETING_KEY_MISSING" | "INVALID_CONTEXT" | "GENERAL" | "FLAG_NOT_FOUND";

/** Every error of a single flag has `key` and `errorCode`: without both, clients throw. */
class Fault extends Error {
  readonly code: Code;
  readonly status: number;
  constructor(code: Code, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

const Body = z.looseObject({ context: z.record(z.string(), z.unknown()).optional() });

const askerIn = (body: unknown): Asker => {
  let content: unknown;
  try {
    content = JSON.parse(Buffer.isBuffer(body) && body.length > 0 ? body.toString("utf8") : "{}");
  } catch {
    throw new Fault("PARSE_ERROR", "The body is not valid JSON.");
  }
  const read = Body.safeParse(content);
  if (!read.success) throw new Fault("INVALID_CONTEXT", "The body is an object with a context, which is an object.");
  const { targetingKey, ...attributes } = read.data.context ?? {};
  if (Object.keys(attributes).length > mostAttributes) throw new Fault("INVALID_CONTEXT", `A context may have ${mostAttributes} attributes.`); // prettier-ignore
  if (targetingKey !== undefined && targetingKey !== null && (typeof targetingKey !== "string" || targetingKey.length > 1_000))
    throw new Fault("INVALID_CONTEXT", "targetingKey is a text of at most 1,000 characters."); // prettier-ignore
  const key = typeof targetingKey === "string" && targetingKey !== "" ? targetingKey : undefined;
  return { key, account: accountIn(attributes), attributes };
};

/** That a cohort is not known happens to clients that decide by themselves; the protocol has no word for it. */
const codeOf = ({ error }: Extract<Evaluation, { error: unknown }>): Code => (error === "COHORT_UNKNOWN" ? "GENERAL" : error); // prettier-ignore

/** A value that is not served is left out, since null is a value. */
const success = (found: Exclude<Evaluation, { error: unknown }>) => ({
  key: found.key,
  reason: found.reason,
  ...(found.variant === undefined ? {} : { variant: found.variant, value: found.value }),
});

/** Mounts the protocol, and the stream by which clients hear of changes. */
export const mountOfrep = async (root: FastifyInstance, { shelf, store, decide }: Parts): Promise<void> => {
  const secretOf = async (workspace: string): Promise<string> =>
    (await store.selectFrom("workspaces").select("secret").where("id", "=", workspace).where("removed_at", "is", null).executeTakeFirst())?.secret ?? ""; // prettier-ignore
  const listenerOf = async (token: string): Promise<string> => {
    const [workspace = "", until = "", given = ""] = token.split(".");
    const secret = await secretOf(workspace);
    const [wanted, had] = [Buffer.from(streamSignature(secret, workspace, Number(until))), Buffer.from(given)];
    const isGood = secret !== "" && wanted.length === had.length && timingSafeEqual(wanted, had);
    if (isGood && Number(until) > Date.now()) return workspace;
    throw new Refusal("flags.stream", "This stream's address is no longer good. Ask for the flags again.", {}, 401);
  };

  const streams = new Map<FastifyReply, string>();

  await root.register(async (server) => {
    server.removeAllContentTypeParsers();
    server.addContentTypeParser("*", { parseAs: "buffer", bodyLimit }, (_request, body, done) => done(null, body));
    server.addHook("onRequest", async (request, reply) => {
      void reply.header("access-control-allow-origin", "*");
      void reply.header("access-control-expose-headers", "ETag, Retry-After");
      if (request.method !== "OPTIONS") return;
      void reply.header("access-control-allow-methods", "GET, POST, OPTIONS");
      void reply.header("access-control-allow-headers", request.headers["access-control-request-headers"] ?? "authorization, content-type, if-none-match, x-api-key"); // prettier-ignore
      void reply.header("access-control-max-age", "86400");
    });
    server.setErrorHandler((error, request, reply) => {
      const { "*": key = "" } = request.params as { "*"?: string }; // of the one route that has it
      const named = key === "" ? {} : { key };
      if (error instanceof Fault) return void reply.code(error.status).send({ ...named, errorCode: error.code, errorDetails: error.message }); // prettier-ignore
      const refusal = refusalIn(error);
      if (refusal !== undefined) return void reply.code(refusal.status).send({ ...named, errorCode: "GENERAL", errorDetails: refusal.message }); // prettier-ignore
      if (error instanceof Error && "code" in error && error.code === "FST_ERR_CTP_BODY_TOO_LARGE")
        return void reply.code(413).send({ ...named, errorCode: "INVALID_CONTEXT", errorDetails: `A body may have ${bodyLimit / 1024} KiB.` }); // prettier-ignore
      request.log.error({ err: error }, "flags could not be decided");
      return void reply.code(500).send({ ...named, errorCode: "GENERAL", errorDetails: "Something failed on our side." }); // prettier-ignore
    });
    server.options("/ofrep/v1/*", async (_request, reply) => reply.code(204).send());

    // keys with a slash come encoded or, from older providers, as they are
    server.post<{ Params: { "*": string } }>("/ofrep/v1/evaluate/flags/*", async (request, reply) => {
      const place = await shelf.byKey(keyOf(request));
      const [found] = await decide(place, askerIn(request.body), [request.params["*"]]);
      if (found === undefined) throw new Error("a flag was asked for and nothing was said");
      if ("error" in found) throw new Fault(codeOf(found), found.says, found.error === "FLAG_NOT_FOUND" ? 404 : 400);
      return reply.send(success(found));
    });

    server.post("/ofrep/v1/evaluate/flags", async (request, reply) => {
      const place = await shelf.byKey(keyOf(request));
      const all = (await decide(place, askerIn(request.body))).map((found) =>
        "error" in found ? { key: found.key, errorCode: codeOf(found), errorDetails: found.says } : success(found),
      );
      const etag = etagOf(JSON.stringify(all));
      void reply.header("etag", etag);
      if (isKnown(request.headers["if-none-match"], etag)) return reply.code(304).send();
      return reply.send({ flags: all, eventStreams: [streamOf(place)] });
    });

    server.get<{ Querystring: { token?: string } }>("/ofrep/v1/events", async (request, reply) => {
      const workspace = await listenerOf(request.query.token ?? "");
      const own = [...streams.values()].filter((one) => one === workspace).length;
      if (streams.size >= mostStreams || own >= mostOfOne) throw new Refusal("flags.streams", "Too many listen already. Try again later.", {}, 429); // prettier-ignore
      let number = 0;
      const { raw } = reply.hijack();
      raw.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store", "access-control-allow-origin": "*", "x-accel-buffering": "no" }); // prettier-ignore
      raw.write(": listening\n\n");
      const ended = shelf.listen(workspace, () => raw.write(`id: ${Date.now()}-${(number += 1)}\nevent: message\ndata: {"type":"refetchEvaluation"}\n\n`)); // prettier-ignore
      const beat = setInterval(() => raw.write(": still here\n\n"), beatMs);
      streams.set(reply, workspace);
      raw.on("close", () => {
        clearInterval(beat);
        ended();
        streams.delete(reply);
      });
    });
    server.addHook("preClose", async () => {
      for (const { raw } of streams.keys()) raw.end();
    });
  });
};
