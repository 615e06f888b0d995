import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Clock } from "#kernel/clock.ts";
import { Refusal, refusalIn } from "#kernel/refusal.ts";
import type { Acceptance, Ingest } from "#records/events/ingest.ts";
import { bodyLimit, bodyText, decodeDataField, parseJson } from "./body.ts";
import type { SourceRegistry } from "./registry.ts";
import { decodeAmplitude } from "./vendors/amplitude.ts";
import { EventFault, type Decoded } from "./vendors/decoded.ts";
import { decodeMixpanel, type MixpanelCall } from "./vendors/mixpanel.ts";
import { decodeOwn } from "./vendors/own.ts";
import { decodePostHog, postHogConfig } from "./vendors/posthog.ts";
import { decodeSegment, segmentSettings } from "./vendors/segment.ts";

interface DoorParts {
  readonly ingest: Ingest;
  readonly sources: SourceRegistry;
  readonly clock: Clock;
  /** Our address as senders know it, where a proxy stands in front. */
  readonly publicUrl: string | undefined;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly type?: string;
}

/** How one vendor's client speaks: what it sends, and what it must hear. */
interface Dialect {
  readonly decode: (body: unknown, request: FastifyRequest) => Decoded;
  readonly took: (acceptance: Acceptance, size: number, request: FastifyRequest) => Answer;
  readonly refused: (refusal: Refusal, request: FastifyRequest) => Answer;
}

const maxEvents = 20_000;

const sharedRefusal = (refusal: Refusal): Answer => ({
  status: refusal.status,
  body: { error: { code: refusal.code, message: refusal.message, details: refusal.details } },
});

const segment = (type?: string): Dialect => ({
  decode: (body) => decodeSegment(body, type),
  took: ({ rejected }) => ({
    status: 200,
    body: rejected.length === 0 ? { success: true } : { success: true, rejected },
  }),
  refused: (refusal) => ({ status: refusal.status, body: { success: false, message: refusal.message } }),
});

const postHog = (received: () => number): Dialect => ({
  decode: (body) => decodePostHog(body, received()),
  took: ({ rejected }) => ({
    status: 200,
    body: rejected.length === 0 ? { status: "Ok" } : { status: "Ok", rejected },
  }),
  refused: (refusal) => ({
    status: refusal.status,
    body: { type: "validation_error", code: refusal.code, detail: refusal.message },
  }),
});

/** Amplitude's client reads `code` in the body, and drops what a 400 lists by index. */
const amplitude: Dialect = {
  decode: (body) => decodeAmplitude(body),
  took: ({ accepted, rejected }, size) => {
    const nothing = accepted === 0 && rejected.length > 0;
    const counts = { events_ingested: accepted, payload_size_bytes: size, server_upload_time: Date.now() };
    if (!nothing) return { status: 200, body: { code: 200, ...counts, ...(rejected.length > 0 ? { rejected } : {}) } };
    const indexes = rejected.map((item) => item.index);
    const error = rejected[0]?.message ?? "";
    return {
      status: 400,
      body: {
        code: 400,
        error,
        events_with_invalid_fields: { event: indexes },
        events_with_missing_fields: {},
        events_with_invalid_id_lengths: {},
      },
    };
  },
  refused: (refusal) => {
    const status = refusal.status === 401 ? 400 : refusal.status; // it has no 401 for a wrong key
    return {
      status,
      body: {
        code: status,
        error: refusal.message,
        missing_field: refusal.code === "source.no_key" ? "api_key" : null,
      },
    };
  },
};

const queryOf = (request: FastifyRequest): URLSearchParams => new URL(request.url, "http://here").searchParams;

/** Mixpanel's client wants the body `1` and nothing else, or its verbose form. */
const mixpanel = (call: MixpanelCall): Dialect => ({
  decode: (body) => decodeMixpanel(body, call),
  took: ({ rejected }, _size, request) => {
    const fine = rejected.length === 0;
    const verbose = queryOf(request).get("verbose") === "1";
    if (verbose) return { status: 200, body: { status: fine ? 1 : 0, error: rejected[0]?.message ?? null } };
    return { status: 200, body: fine ? "1" : "0", type: "text/plain" };
  },
  refused: (refusal, request) => {
    const verbose = queryOf(request).get("verbose") === "1";
    if (verbose) return { status: refusal.status, body: { status: 0, error: refusal.message } };
    return { status: refusal.status, body: "0", type: "text/plain" };
  },
});

const mixpanelImport: Dialect = {
  decode: (body) => decodeMixpanel(body, "track"),
  took: ({ accepted, rejected }) => {
    if (rejected.length === 0)
      return { status: 200, body: { code: 200, num_records_imported: accepted, status: "OK" } };
    const failed_records = rejected.map((item) => ({
      index: item.index,
      insert_id: "",
      field: item.reason,
      message: item.message,
    }));
    return {
      status: 400,
      body: {
        code: 400,
        error: "some data points in the request failed validation",
        failed_records,
        num_records_imported: accepted,
        status: "Bad Request",
      },
    };
  },
  refused: (refusal) => ({
    status: refusal.status,
    body: { code: refusal.status, error: refusal.message, status: refusal.code },
  }),
};

const own: Dialect = {
  decode: (body) => decodeOwn(body),
  took: ({ accepted, rejected }) => ({ status: 200, body: { accepted, rejected } }),
  refused: sharedRefusal,
};

const headerKey = (request: FastifyRequest): string | undefined => {
  const authorization = request.headers.authorization ?? "";
  const bearer = /^Bearer (.+)$/i.exec(authorization)?.[1];
  const basic = /^Basic (.+)$/i.exec(authorization)?.[1];
  return bearer ?? (basic === undefined ? undefined : Buffer.from(basic, "base64").toString("utf8").split(":")[0]);
};

/** Browsers send credentials and ask first: the origin is echoed, since `*` is not allowed with credentials. */
export const allowOrigin = (request: FastifyRequest, reply: FastifyReply): void => {
  const { origin } = request.headers;
  void reply.header("access-control-allow-origin", origin ?? "*");
  if (origin !== undefined) void reply.header("access-control-allow-credentials", "true").header("vary", "origin");
  const wanted = request.headers["access-control-request-headers"];
  if (request.method !== "OPTIONS") return;
  void reply.header("access-control-allow-methods", "GET, POST, OPTIONS");
  void reply.header("access-control-allow-headers", wanted ?? "authorization, content-type");
  void reply.header("access-control-max-age", "86400");
};

const asRefusal = (error: unknown): Refusal => {
  const refusal = refusalIn(error);
  if (refusal !== undefined) return refusal;
  if (error instanceof EventFault) return new Refusal(error.reason, error.message);
  throw error;
};

/** The addresses that senders use, one prefix a vendor. */
export const mountDoors = async (
  root: FastifyInstance,
  { ingest, sources, clock, publicUrl }: DoorParts,
): Promise<void> => {
  const readBody = async (request: FastifyRequest): Promise<{ body: unknown; size: number }> => {
    const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const encoding = request.headers["content-encoding"];
    const inQuery = request.method === "GET" ? queryOf(request).get("data") : null;
    const text = inQuery === null ? await bodyText(bytes, encoding) : decodeDataField(inQuery);
    if (text.trim() === "") throw new Refusal("body.empty", "The request has no body.", {}, 400);
    return { body: parseJson(text), size: bytes.length };
  };

  const receive = async (dialect: Dialect, request: FastifyRequest): Promise<Answer> => {
    try {
      const { body, size } = await readBody(request);
      const { writeKey, items, sentAt } = dialect.decode(body, request);
      if (items.length > maxEvents) {
        throw new Refusal(
          "body.too_many_events",
          `A request may bring ${maxEvents} events.`,
          { limit: maxEvents },
          413,
        );
      }
      // browsers whose people ask not to be followed say so with every request
      const said = request.headers["sec-gpc"] === "1" ? items.map((item) => ("fault" in item ? item : { ...item, optedOut: true })) : items; // prettier-ignore
      const source = await sources.byKey(headerKey(request) ?? writeKey ?? queryOf(request).get("token") ?? undefined);
      return dialect.took(await ingest.accept(source, said, sentAt), size, request);
    } catch (error) {
      return dialect.refused(asRefusal(error), request);
    }
  };

  const door = (
    server: FastifyInstance,
    paths: readonly string[],
    dialect: Dialect,
    methods: ("GET" | "POST")[] = ["POST"],
  ): void => {
    for (const url of paths) {
      server.route({
        method: methods,
        url,
        handler: async (request, reply) => {
          const answer = await receive(dialect, request);
          if (answer.status === 429 || answer.status === 503) void reply.header("retry-after", "2");
          return reply
            .code(answer.status)
            .type(answer.type ?? "application/json")
            .send(answer.body);
        },
      });
    }
  };

  const hostOf = (request: FastifyRequest): string =>
    publicUrl === undefined ? request.host : new URL(publicUrl).host;

  await root.register(async (server) => {
    server.removeAllContentTypeParsers();
    server.addContentTypeParser("*", { parseAs: "buffer", bodyLimit }, (_request, body, done) => done(null, body));
    server.addHook("onRequest", async (request, reply) => allowOrigin(request, reply));
    server.setErrorHandler((error, request, reply) => {
      const tooLarge = error instanceof Error && "code" in error && error.code === "FST_ERR_CTP_BODY_TOO_LARGE";
      if (!tooLarge) {
        request.log.error({ err: error }, "a sender's request failed");
        return void reply.code(500).send({
          error: { code: "internal", message: "Something failed on our side. Send this again.", details: {} },
        });
      }
      const refusal = new Refusal(
        "body.too_large",
        `A body may have ${bodyLimit / 1024 / 1024} MiB. Send smaller batches.`,
        {},
        413,
      );
      void reply.code(413).send({ code: 413, ...(sharedRefusal(refusal).body as object) });
    });
    for (const prefix of ["/v1/*", "/segment/*", "/posthog/*", "/amplitude/*", "/mixpanel/*"]) {
      server.options(prefix, async (_request, reply) => reply.code(204).send());
    }

    door(server, ["/v1/events"], own);

    // Segment's Node library keeps only the host of the address it is given, so its routes stand at the root too
    const segmentAt = (path: string): string[] => [`/segment/v1/${path}`, `/v1/${path}`];
    door(server, ["batch", "b", "import"].flatMap(segmentAt), segment());
    const calls = { t: "track", i: "identify", p: "page", s: "screen", g: "group", a: "alias" } as const;
    for (const [short, type] of Object.entries(calls)) door(server, [short, type].flatMap(segmentAt), segment(type));
    server.post("/segment/v1/m", async () => ({ success: true }));
    server.get<{ Params: { key: string } }>("/segment/v1/projects/:key/settings", async (request) =>
      segmentSettings(request.params.key, `${hostOf(request)}/segment/v1`),
    );

    const hog = postHog(() => clock.now());
    door(
      server,
      ["/batch", "/e", "/i/v0/e", "/capture", "/track", "/engage"].map((path) => `/posthog${path}`),
      hog,
      ["POST", "GET"],
    );
    server.post("/posthog/s", async () => ({ status: "Ok" })); // recordings are not kept
    server.get<{ Params: { token: string } }>("/posthog/array/:token/config", async (request) =>
      postHogConfig(request.params.token),
    );
    server.get<{ Params: { token: string } }>("/posthog/array/:token/config.js", async (request, reply) => {
      const token = JSON.stringify(request.params.token);
      const config = JSON.stringify({ config: postHogConfig(request.params.token), siteApps: [] }).replaceAll(
        "<",
        "\\u003c",
      );
      const script = `(function(){var c=window._POSTHOG_REMOTE_CONFIG=window._POSTHOG_REMOTE_CONFIG||{};c[${token.replaceAll("<", "\\u003c")}]=${config};})();`;
      return reply.type("application/javascript").send(script);
    });
    server.get("/posthog/api/surveys", async () => ({ surveys: [] }));
    server.get("/posthog/static/*", async (_request, reply) => reply.type("application/javascript").send(""));

    door(server, ["/amplitude/2/httpapi", "/amplitude/batch", "/amplitude/httpapi"], amplitude);

    for (const call of ["track", "engage", "groups"] as const)
      door(server, [`/mixpanel/${call}`], mixpanel(call), ["POST", "GET"]);
    door(server, ["/mixpanel/import"], mixpanelImport);
    server.route({ method: ["GET", "POST"], url: "/mixpanel/flags", handler: async () => ({ flags: {} }) });
    for (const path of ["/mixpanel/settings", "/mixpanel/record"])
      server.route({ method: ["GET", "POST"], url: path, handler: async () => ({}) });
  });
};
