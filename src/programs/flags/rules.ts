import type { FastifyInstance } from "fastify";
import { refusalIn } from "#kernel/refusal.ts";
import type { Rules } from "#sdk/rules.ts";
import type { Flag } from "./document.ts";
import { etagOf, isKnown, keyOf, streamOf } from "./http.ts";
import type { Shelf } from "./shelf.ts";

/**
 * Rules for clients that decide by themselves. They say whom rules speak of, so they are given for a secret key of an
 * environment alone, and no page of another site may read them.
 */

/** What a client needs of the flags of one environment: nothing of others, nothing of who wrote them. */
export const rulesOf = (flags: readonly Flag[], environment: string): Rules => ({
  format: 1,
  environment,
  flags: flags
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ key, variations, holdout, environments }) => {
      const setting = environments[environment];
      const rules = setting?.rules.map((rule) => ({ ...rule, name: "" })) ?? [];
      return { key, variations, holdout: holdout === null ? null : {}, environments: setting === undefined ? {} : { [environment]: { ...setting, rules } } }; // prettier-ignore
    }),
});

export const mountRules = async (root: FastifyInstance, shelf: Shelf): Promise<void> => {
  await root.register(async (server) => {
    server.setErrorHandler((error, request, reply) => {
      const refusal = refusalIn(error);
      if (refusal !== undefined) return void reply.code(refusal.status).send({ error: { code: refusal.code, message: refusal.message } });
      request.log.error({ err: error }, "rules could not be given");
      return void reply.code(500).send({ error: { code: "internal", message: "Something failed on our side." } });
    });
    server.get("/flags/v1/rules", async (request, reply) => {
      const place = await shelf.byServerKey(keyOf(request));
      const rules = rulesOf(await shelf.flags(place.workspace), place.environment);
      const etag = etagOf(JSON.stringify(rules));
      void reply.header("etag", etag).header("cache-control", "no-store");
      if (isKnown(request.headers["if-none-match"], etag)) return reply.code(304).send();
      return reply.send({ ...rules, eventStreams: [streamOf(place)] });
    });
  });
}; // prettier-ignore
