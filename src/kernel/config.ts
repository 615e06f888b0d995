import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { totalmem } from "node:os";
import { parse } from "yaml";
import { z } from "zod";
import { Refusal } from "./refusal.ts";

const size = z.union([
  z.number().int().positive(),
  z
    .string()
    .regex(/^\d+(\.\d+)?\s*(kb|mb|gb|b)?$/i, "a size like 500mb or 4gb")
    .transform(bytesOf),
]);

function bytesOf(text: string): number {
  const [, number = "0", unit = "b"] = /^([\d.]+)\s*(\w*)$/.exec(text.trim().toLowerCase()) ?? [];
  const factor = { kb: 1e3, mb: 1e6, gb: 1e9 }[unit] ?? 1;
  return Math.round(Number(number) * factor);
}

const flag = z.union([
  z.boolean(),
  z.enum(["true", "false", "1", "0"]).transform((text) => text === "true" || text === "1"),
]);

/** Every setting, with what it means. Environment names are these in capitals behind THROUGHLINE_. */
export const Config = z.strictObject({
  data: z.string().default(".throughline").describe("Folder of everything that is kept on this machine."),
  host: z.string().default("127.0.0.1").describe("Address to listen on; 0.0.0.0 for all."),
  port: z.coerce.number().int().min(0).max(65_535).default(3100).describe("Port to listen on; 0 picks a free one."),
  public_url: z.url().optional().describe("Address that browsers and SDKs use, when a proxy stands in front."),
  trust_proxy: flag.default(false).describe("Believe X-Forwarded-* headers."),
  clickhouse_url: z.url().optional().describe("A ClickHouse server to use in place of the embedded engine."),
  clickhouse_user: z.string().default("default"),
  clickhouse_password: z.string().default(""),
  audit_key: z
    .string()
    .optional()
    .describe(
      "File of the key that signs the audit log; audit-key.pem in the data folder. Servers that share a store share it.",
    ),
  audit_checkpoints: z
    .string()
    .optional()
    .describe("A folder, best on another machine, into which signed checkpoints of the audit log are written too."),
  database_url: z.url().optional().describe("A PostgreSQL server to use in place of the embedded state store."),
  engine_memory: size.default(Math.round(totalmem() * 0.4)).describe("Memory the embedded engine may take, e.g. 4gb."),
  engine_queries: z.coerce
    .number()
    .int()
    .min(1)
    .max(64)
    .default(4)
    .describe("Queries the embedded engine runs at once."),
  engine_functions: z
    .enum(["inside", "beside"])
    .optional()
    .describe("Where functions of sequences run: in the engine or in this process. Found out where absent."),
  ingest_fsync: flag.default(true).describe("Force each batch to the disk before it is acknowledged."),
  ingest_backlog: size
    .default(1_000_000_000)
    .describe("Bytes of accepted events that may wait for the store before 503."),
  smtp_url: z
    .url({ protocol: /^smtps?$/ })
    .optional()
    .describe("A mail server, such as smtp://user:password@mail.example.com:587. Without one no mail is sent."),
  mail_from: z.string().max(200).default("Throughline <throughline@localhost>").describe("Who mail comes from."),
  oidc_issuer: z.url().optional().describe("Single sign-on: address of an OpenID Connect provider."),
  oidc_client_id: z.string().max(500).optional().describe("What the provider knows this server by."),
  oidc_client_secret: z.string().max(2_000).optional().describe("Its secret; absent for a public client."),
  oidc_label: z.string().max(60).default("Single sign-on").describe("What the button says."),
  oidc_domains: z
    .string()
    .default("")
    .transform((text) =>
      text
        .toLowerCase()
        .split(/[\s,]+/)
        .filter((one) => one !== ""),
    )
    .describe("Domains of email whose people become members as they first come. None: only who was added."),
  oidc_workspace: z.string().max(100).optional().describe("Id of the workspace that they then belong to."),
  oidc_role: z.enum(["viewer", "analyst", "marketer"]).default("viewer").describe("Their role there."),
  region: z
    .string()
    .max(100)
    .default("")
    .describe("Where this server stands, such as EU. Workspaces can be pinned to it."),
  private_hosts: z
    .string()
    .default("")
    .transform((text) => text.split(/[\s,]+/).filter((one) => one !== ""))
    .describe("Hosts (or host:port) that webhooks may reach although they are not public, and by http."),
  egress: z
    .string()
    .default("")
    .transform((text) => text.split(/[\s,]+/).filter((one) => one !== ""))
    .pipe(z.array(z.string().regex(/^[^\s=]+=\S+$/, "HOST=REGION, such as hooks.example.com=EU")))
    .describe("Hosts that may be written to by workspaces pinned to a region, with the region that each is in."),
  log_level: z.enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"]).default("info"),
});
export type Config = z.output<typeof Config>;

const fromEnvironment = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    Object.keys(Config.shape).flatMap((key) => {
      const value = env[`THROUGHLINE_${key.toUpperCase()}`];
      return value === undefined || value === "" ? [] : [[key, value]];
    }),
  );

const fromFile = (file: string | undefined): Record<string, unknown> => {
  const path = file ?? ["throughline.yaml", "throughline.yml", "throughline.json"].find((name) => existsSync(name));
  if (path === undefined) return {};
  if (!existsSync(path)) throw new Refusal("config.no_file", `There is no configuration file at ${resolve(path)}.`);
  const content: unknown = parse(readFileSync(path, "utf8"));
  if (content === null) return {};
  if (typeof content !== "object") throw new Refusal("config.invalid", `${path} must hold a mapping of settings.`);
  return { ...content };
};

/** Reads file then environment (which wins) and refuses with every fault named at once. */
export const readConfig = (env: NodeJS.ProcessEnv, overrides: Readonly<Record<string, unknown>> = {}): Config => {
  const given = { ...fromFile(env["THROUGHLINE_CONFIG"]), ...fromEnvironment(env), ...overrides };
  const parsed = Config.safeParse(given);
  if (parsed.success) return { ...parsed.data, data: resolve(parsed.data.data) };
  const faults = parsed.error.issues.map((issue) =>
    issue.code === "unrecognized_keys"
      ? `${issue.keys.join(", ")}: no such setting`
      : `${issue.path.join(".")}: ${issue.message}`,
  );
  throw new Refusal("config.invalid", `The configuration has ${faults.length} fault(s): ${faults.join("; ")}.`, {
    faults,
  });
};

/** Where the key lies that signs the audit log. */
export const auditKeyFile = ({ audit_key, data }: Config): string => audit_key ?? join(data, "audit-key.pem");
