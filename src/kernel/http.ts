import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import Fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from "fastify";
import { parseCookie, stringifySetCookie } from "cookie";
import type { Logger } from "pino";
import type { Access, Principal } from "./access.ts";
import type { Dispatch } from "./dispatch.ts";
import { FileAnswer } from "./operation.ts";
import { Refusal, refusalIn } from "./refusal.ts";

const cookieName = "throughline_session";

interface HttpParts {
  readonly access: Access;
  readonly log: Logger;
  readonly trustProxy: boolean;
  /** Whether browsers reach the server over TLS alone. */
  readonly overTls: boolean;
}

/** What is said of an error to the outside: a refusal as it is, anything else only as an id to look up in the log. */
const answer = (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
  const refusal = refusalIn(error);
  const status = error instanceof Error && "statusCode" in error ? Number(error.statusCode) : 500;
  if (refusal !== undefined) {
    if (refusal.status === 429 || refusal.status === 503) void reply.header("retry-after", "2");
    void reply
      .code(refusal.status)
      .send({ error: { code: refusal.code, message: refusal.message, details: refusal.details } });
  } else if (status < 500) {
    const message = error instanceof Error ? error.message : "The request could not be read.";
    void reply.code(status).send({ error: { code: "http.bad_request", message, details: {} } });
  } else {
    const id = request.id;
    request.log.error({ err: error, id }, "a request failed");
    const message = `Something failed on our side. The log has it under ${id}.`;
    void reply.code(500).send({ error: { code: "internal", message, details: { id } } });
  }
};

/** A server with the shared manners: ids, security headers, errors. Routes come from the modules. */
export const createHttp = ({ log, trustProxy, overTls }: HttpParts): FastifyInstance => {
  const server = Fastify({
    loggerInstance: log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy,
    bodyLimit: 4 * 1024 * 1024,
    genReqId: () => randomUUID(),
    requestTimeout: 120_000,
    forceCloseConnections: true,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 500 },
  });
  server.setErrorHandler((error, request, reply) => answer(error, request, reply));
  server.addHook("onSend", async (_request, reply) => {
    void reply.header("x-content-type-options", "nosniff");
    void reply.header("referrer-policy", "same-origin");
    void reply.header("cross-origin-opener-policy", "same-origin");
    void reply.header("permissions-policy", "camera=(), microphone=(), geolocation=(), browsing-topics=()");
    // what is no page of ours runs nothing and is framed by nobody
    if (!reply.hasHeader("content-security-policy"))
      void reply.header(
        "content-security-policy",
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
      );
    if (overTls) void reply.header("strict-transport-security", "max-age=31536000");
    if (!reply.hasHeader("cache-control")) void reply.header("cache-control", "no-store");
  });
  return server;
};

/** Who a request comes from: a bearer key, else the session cookie. Cookies count only from our own origin. */
export const principalOf = async (access: Access, request: FastifyRequest): Promise<Principal> => {
  const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
  if (bearer !== undefined) return access.fromKey(bearer);
  const session = parseCookie(request.headers.cookie ?? "")[cookieName];
  if (session === undefined) return { kind: "nobody" };
  const origin = request.headers.origin;
  if (origin !== undefined && hostOf(origin) !== request.host) {
    throw new Refusal("access.foreign_origin", "This request came from another site.", {}, 403);
  }
  return access.fromSession(session);
};

const hostOf = (origin: string): string | undefined => {
  try {
    return new URL(origin).host;
  } catch {
    return undefined;
  }
};

/** Sets or clears the session cookie. */
export const setSession = (reply: FastifyReply | undefined, secure: boolean, session: string | undefined): void => {
  const value = session ?? "";
  const maxAge = session === undefined ? 0 : 30 * 86_400;
  const cookie = stringifySetCookie({
    name: cookieName,
    value,
    httpOnly: true,
    sameSite: "lax",
    path: "/",
    maxAge,
    secure,
  });
  void reply?.header("set-cookie", cookie);
};

export const sessionOf = (request: FastifyRequest | undefined): string | undefined =>
  parseCookie(request?.headers.cookie ?? "")[cookieName];

/** An abort signal that fires when the caller goes away before the answer. */
const goneSignal = (reply: FastifyReply): AbortSignal => {
  const controller = new AbortController();
  reply.raw.on("close", () => {
    if (!reply.raw.writableFinished) controller.abort();
  });
  return controller.signal;
};

/** POST /api/<operation>: the body is the input, the answer is the output. */
export const mountOperations = (server: FastifyInstance, access: Access, dispatch: Dispatch): void => {
  server.post<{ Params: { operation: string } }>("/api/:operation", async (request, reply) => {
    if (!(request.headers["content-type"] ?? "application/json").startsWith("application/json")) {
      throw new Refusal("http.not_json", "Send the input as application/json.", {}, 415);
    }
    const principal = await principalOf(access, request);
    const chosen = request.headers["x-throughline-workspace"];
    const workspace = typeof chosen === "string" ? chosen : undefined;
    const { operation } = request.params;
    const output = await dispatch({
      operation,
      input: request.body,
      principal,
      workspace,
      signal: goneSignal(reply),
      reply,
    });
    if (!(output instanceof FileAnswer)) return reply.send(output);
    void reply.header("content-disposition", `attachment; filename="${output.name}"`);
    return reply.type(output.type).send(Readable.from(output.content, { objectMode: false }));
  });
};
