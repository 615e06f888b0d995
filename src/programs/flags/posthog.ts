import { createHash, randomUUID } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { refusalIn } from "#kernel/refusal.ts";
import { bodyLimit, bodyText, parseJson } from "#records/sources/body.ts";
import { allowOrigin } from "#records/sources/doors.ts";
import type { SourceRegistry } from "#records/sources/registry.ts";
import { accountAmong } from "#records/sources/vendors/decoded.ts";
import { postHogConfig } from "#records/sources/vendors/posthog.ts";
import type { Decide } from "./decide.ts";
import type { Evaluation } from "#sdk/evaluate.ts";
import type { Shelf } from "./shelf.ts";

/** Flags as PostHog's clients ask for them, with the write key of a source: those of the first environment. */

const Groups = z.record(z.string(), z.unknown()).nullish();
const Asked = z.looseObject({
  token: z.string().optional(),
  api_key: z.string().optional(),
  distinct_id: z.union([z.string(), z.number()]).transform(String).optional(),
  person_properties: z.record(z.string(), z.unknown()).nullish(),
  groups: Groups,
  group_properties: Groups,
  flag_keys_to_evaluate: z.array(z.string()).max(5_000).nullish(),
});

/** A text is its own variant, anything else goes by the name of its variation and carries its value. */
const variantOf = ({ value, variant }: { value: unknown; variant: string | undefined }): string | undefined => {
  if (typeof value === "boolean" || value === undefined) return undefined;
  return typeof value === "string" ? value : variant;
};

const reasons: Readonly<Record<string, string>> = {
  STATIC: "condition_match",
  TARGETING_MATCH: "condition_match",
  SPLIT: "condition_match",
  DEFAULT: "no_condition_match",
  DISABLED: "flag_disabled",
};

/** A number that stays the flag's own, as PostHog's clients send it on with what they were told. */
const idOf = (key: string): number => createHash("sha256").update(key).digest().readUInt32BE(0);

const told = (found: Exclude<Evaluation, { error: unknown }>, version: number) => {
  const { key, value, reason, rule } = found;
  const variant = variantOf(found);
  const payload = typeof value === "number" || typeof value === "object" ? JSON.stringify(value) : undefined;
  return {
    key,
    enabled: value !== undefined && value !== false,
    ...(variant === undefined ? {} : { variant }),
    reason: { code: reasons[reason] ?? "no_condition_match", description: reason, ...(rule === undefined ? {} : { condition_index: rule }) }, // prettier-ignore
    metadata: { id: idOf(key), version, ...(payload === undefined ? {} : { payload }) },
  };
};

interface Parts {
  readonly shelf: Shelf;
  readonly registry: SourceRegistry;
  readonly decide: Decide;
}

export const mountPostHogFlags = async (root: FastifyInstance, { shelf, registry, decide }: Parts): Promise<void> => {
  await root.register(async (server) => {
    server.removeAllContentTypeParsers();
    server.addContentTypeParser("*", { parseAs: "buffer", bodyLimit }, (_request, body, done) => done(null, body));
    server.addHook("onRequest", async (request, reply) => allowOrigin(request, reply));
    server.setErrorHandler((error, request, reply) => {
      const refusal = refusalIn(error);
      if (refusal !== undefined) return void reply.code(refusal.status).send({ type: "validation_error", code: refusal.code, detail: refusal.message });
      request.log.error({ err: error }, "flags could not be decided");
      return void reply.code(500).send({ type: "server_error", code: "internal", detail: "Something failed on our side." });
    });
    for (const path of ["/posthog/flags", "/posthog/decide"])
      server.post(path, async (request) => {
        const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        const read = Asked.safeParse(parseJson(await bodyText(bytes, request.headers["content-encoding"])));
        const asked = read.success ? read.data : {};
        const source = await registry.byKey(asked.token ?? asked.api_key);
        const place = await shelf.first(source.workspace);
        const { person_properties, groups, group_properties, distinct_id } = asked;
        const account = accountAmong(groups ?? {});
        const asker = { key: distinct_id, account, attributes: { ...person_properties, groups, group_properties } };
        const found = place === undefined ? [] : await decide({ workspace: source.workspace, environment: place }, asker, asked.flag_keys_to_evaluate ?? undefined);
        const versions = await shelf.versions(source.workspace);
        const flags = found.flatMap((one) => ("error" in one ? [] : [told(one, versions.get(one.key) ?? 1)]));
        return {
          ...postHogConfig(""),
          flags: Object.fromEntries(flags.map((one) => [one.key, one])),
          featureFlags: Object.fromEntries(flags.map(({ key, enabled, variant }) => [key, enabled ? (variant ?? true) : false])),
          featureFlagPayloads: Object.fromEntries(flags.flatMap(({ key, metadata: { payload } }) => (payload === undefined ? [] : [[key, payload]]))),
          errorsWhileComputingFlags: !read.success || found.some((one) => "error" in one && one.error !== "FLAG_NOT_FOUND"),
          quotaLimited: [],
          requestId: randomUUID(),
        };
      });
  });
}; // prettier-ignore
