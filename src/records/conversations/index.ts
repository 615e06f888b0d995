import type { FastifyInstance } from "fastify";
import { defineModule, type Module } from "#kernel/module.ts";
import type { Clock } from "#kernel/clock.ts";
import type { Outbound } from "#kernel/outbound.ts";
import type { Store } from "#kernel/state/store.ts";
import { Refusal, refusalIn } from "#kernel/refusal.ts";
import { bodyLimit, bodyText, parseJson } from "#records/sources/body.ts";
import type { SourceRegistry } from "#records/sources/registry.ts";
import type { ConversationDesk } from "./desk.ts";
import { createLinks } from "./links.ts";

interface Parts {
  readonly desk: ConversationDesk;
  readonly registry: SourceRegistry;
  readonly store: Store;
  readonly outbound: Outbound;
  readonly clock: Clock;
  readonly publicUrl: string;
}

/** Conversations: what customers and those who answer them write to each other. */
export const conversations = ({ desk, registry, store, outbound, clock, publicUrl }: Parts): Module => {
  const links = createLinks({ store, registry, desk, outbound, clock, publicUrl });
  const mount = async (root: FastifyInstance): Promise<void> => {
    await root.register(async (server) => {
      server.removeAllContentTypeParsers();
      server.addContentTypeParser("*", { parseAs: "buffer", bodyLimit }, (_request, body, done) => done(null, body));
      server.setErrorHandler((error, request, reply) => {
        const isTooLarge = error instanceof Error && "code" in error && error.code === "FST_ERR_CTP_BODY_TOO_LARGE";
        const refusal = isTooLarge ? new Refusal("body.too_large", `A body may have ${bodyLimit / 1024 / 1024} MiB. Send smaller batches.`, {}, 413) : refusalIn(error); // prettier-ignore
        if (refusal === undefined) request.log.error({ err: error }, "conversations could not be taken");
        return void reply.code(refusal?.status ?? 500).send({ error: { code: refusal?.code ?? "internal", message: refusal?.message ?? "Something failed on our side. Send this again.", details: refusal?.details ?? {} } }); // prettier-ignore
      });
      server.post("/v1/conversations", async (request) => {
        const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        const text = await bodyText(bytes, request.headers["content-encoding"]);
        if (text.trim() === "") throw new Refusal("body.empty", "The request has no body.");
        return desk.take(
          await registry.byKey(/^Bearer (.+)$/i.exec(request.headers.authorization ?? "")?.[1]),
          parseJson(text),
        );
      });
      server.post("/v1/conversations/hooks/:id", async (request) => {
        const { id = "" } = request.params as { id?: string };
        return links.receive(id, request.headers, Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0));
      });
    });
  };

  return defineModule({
    name: "conversations",
    routes: mount,
    operations: links.handlers,
    jobs: [{ name: "conversations.pull", everyMs: 60_000, run: links.pullAll }],
  });
};
