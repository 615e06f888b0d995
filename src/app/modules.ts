import { cohorts } from "#insights/cohorts/index.ts";
import { funnels } from "#insights/funnels/index.ts";
import { annotations } from "#insights/annotations/index.ts";
import { sqlPage } from "#insights/sql/index.ts";
import { metrics } from "#insights/metrics/index.ts";
import { journeys } from "#insights/journeys/index.ts";
import { lifecycle } from "#insights/lifecycle/index.ts";
import { sessions } from "#insights/sessions/index.ts";
import { stickiness } from "#insights/stickiness/index.ts";
import { retention } from "#insights/retention/index.ts";
import { trends } from "#insights/trends/index.ts";
import type { Logger } from "pino";
import type { Access } from "#kernel/access.ts";
import type { Audit } from "#kernel/audit/audit.ts";
import type { Clock } from "#kernel/clock.ts";
import type { Config } from "#kernel/config.ts";
import type { Directory } from "#kernel/directory.ts";
import { noAttributes } from "#kernel/policy.ts";
import { assetsOf } from "#kernel/lineage.ts";
import type { AnswerTo, Module, TableDoc, WorkspaceCall } from "#kernel/module.ts";
import { createOutbound } from "#kernel/outbound.ts";
import type { Store } from "#kernel/state/store.ts";
import { alerts, notifyIn } from "#programs/alerts/index.ts";
import type { ContractGate } from "#programs/contracts/gate.ts";
import { cards } from "#programs/cards/index.ts";
import { cxScore } from "#programs/cx-score/index.ts";
import { createThemes } from "#programs/themes/book.ts";
import { themes as themesModule } from "#programs/themes/index.ts";
import { themeTables } from "#programs/themes/tables.ts";
import { watches } from "#programs/watches/index.ts";
import { scoreBreaks } from "#programs/cx-score/versions/breaks.ts";
import { voices } from "#programs/voices/index.ts";
import { voiceTables } from "#programs/voices/tables.ts";
import { cxTables } from "#programs/cx-score/tables.ts";
import { createConversationDesk } from "#records/conversations/desk.ts";
import { conversations } from "#records/conversations/index.ts";
import { conversationTables } from "#records/conversations/tables.ts";
import { experiments } from "#programs/experiments/index.ts";
import { createDesk } from "#programs/flags/desk.ts";
import { flags } from "#programs/flags/index.ts";
import { createShelf } from "#programs/flags/shelf.ts";
import { consent } from "#programs/consent/index.ts";
import { keeping } from "#programs/keeping/index.ts";
import { contracts } from "#programs/contracts/index.ts";
import { audit as auditLog } from "#programs/audit/index.ts";
import { stewardship } from "#programs/stewardship/index.ts";
import { policy } from "#programs/policy/index.ts";
import { quality } from "#programs/quality/index.ts";
import { signOn } from "#programs/sign-on/index.ts";
import { demo } from "#programs/demo/index.ts";
import { erasure } from "#programs/erasure/index.ts";
import { workspaces } from "#programs/workspaces/index.ts";
import type { Ingest } from "#records/events/ingest.ts";
import { cohortTables } from "#records/cohorts/tables.ts";
import { eventTables } from "#records/events/tables.ts";
import { peopleTables } from "#records/people/tables.ts";
import type { SourceRegistry } from "#records/sources/registry.ts";
import { catalog } from "#records/catalog/index.ts";
import { accounts } from "#records/accounts/index.ts";
import { exports } from "#records/exports/index.ts";
import { people } from "#records/people/index.ts";
import { sources } from "#records/sources/index.ts";
import { createMailer } from "#kernel/mail.ts";
import { dashboards } from "#surfaces/dashboards/index.ts";
import { furnishDemo } from "./demo-furniture.ts";
import { version } from "./version.ts";

/** What modules are made of. */
export interface Services {
  readonly config: Config;
  readonly clock: Clock;
  readonly store: Store;
  readonly access: Access;
  readonly audit: Audit;
  readonly directory: Directory;
  readonly ingest: Ingest;
  readonly gate: ContractGate;
  readonly registry: SourceRegistry;
  readonly log: Logger;
}

/** Tables of a workspace's database, in the order in which they are made. */
export const tables: readonly TableDoc[] = [
  ...eventTables,
  ...peopleTables,
  ...cohortTables,
  ...conversationTables,
  ...cxTables,
  ...themeTables,
  ...voiceTables,
];

/** Every module of the program. A test compares this list with the folders. */
export const createModules = ({
  config,
  clock,
  store,
  access,
  audit,
  directory,
  ingest,
  gate,
  registry,
  log,
}: Services): readonly Module[] => {
  const assets = (call: WorkspaceCall) => assetsOf(all, call);
  /** Answers a question on behalf of the program, such as for a report by mail. Never more than a reader may ask. */
  const answerTo: AnswerTo = async (call, operation, input) => {
    const handler = all
      .flatMap((module) => module.operations ?? [])
      .find((one) => one.operation.name === operation.name);
    if (handler === undefined || operation.permission !== "read") throw new Error(`${operation.name} is no question`);
    const reader = {
      ...call,
      role: "viewer",
      veil: await access.veilFor({ role: "viewer", ...noAttributes }, call.workspace),
    } as const;
    return operation.output.parse(await handler.run(reader, operation.input.parse(input)));
  };
  const shelf = createShelf(store);
  const desk = createDesk(store, shelf);
  const conversationDesk = createConversationDesk({ ingest, gate, directory, clock });
  const themes = createThemes(store);
  const mailer = createMailer(config.smtp_url, config.mail_from);
  const publicUrl = config.public_url ?? `http://localhost:${config.port}`;
  const outbound = createOutbound({ privateHosts: config.private_hosts, egress: config.egress });
  const secureCookies = config.public_url?.startsWith("https:") === true;
  const all: readonly Module[] = [
    workspaces({
      store,
      access,
      audit,
      directory,
      ingest,
      secureCookies,
      region: config.region,
      singleSignOn: config.oidc_issuer === undefined || config.oidc_client_id === undefined ? null : config.oidc_label,
      version,
    }),
    signOn({ config, store, access, audit, clock, log, secureCookies }),
    sources({ ingest, registry, clock, publicUrl: config.public_url }),
    catalog({ ingest }),
    people({ ingest }),
    accounts({ ingest }),
    conversations({ desk: conversationDesk, registry, store, outbound, clock, publicUrl }),
    exports({ ingest }),
    trends({ ingest }),
    funnels({ ingest }),
    retention({ ingest }),
    lifecycle({ ingest }),
    stickiness({ ingest }),
    sessions({ ingest }),
    journeys({ ingest }),
    cohorts({ ingest, store }),
    metrics({ ingest, store, assets }),
    sqlPage({ ingest, store }),
    annotations({ store }),
    auditLog({ store, audit }),
    erasure({ store, ingest, gate, tables }),
    consent({ store, ingest, gate }),
    keeping({ store, ingest }),
    contracts({ store, ingest, registry, gate, assets }),
    stewardship({
      store,
      ingest,
      assets,
      server: {
        checkpointsElsewhere: config.audit_checkpoints !== undefined,
        singleSignOn: config.oidc_issuer !== undefined,
      },
    }),
    policy({ store }),
    quality({ store, ingest, registry, assets, tables, notify: notifyIn(store) }),
    alerts({
      store,
      mailer,
      outbound,
      publicUrl,
    }),
    watches({ store, answerTo, notify: notifyIn(store), breaks: scoreBreaks(store) }),
    experiments({ ingest, store, desk, notify: notifyIn(store) }),
    flags({ store, registry, directory, ingest, shelf, desk }),
    cxScore({ ingest, registry, store, notify: notifyIn(store), outbound, themes }),
    themesModule({ themes }),
    voices({ ingest, registry, desk: conversationDesk, themes }),
    cards({ store, ingest, registry, builtIn: () => all.flatMap(({ aiUses = [] }) => aiUses) }),
    dashboards({
      store,
      directory,
      mailer,
      publicUrl,
      answerTo,
    }),
    demo({ store, registry, ingest, conversations: conversationDesk, clock, log, furnish: furnishDemo(store, clock) }),
  ];
  return all;
};
