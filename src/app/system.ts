import { join } from "node:path";
import { createAccess } from "#kernel/access.ts";
import { openAudit } from "#kernel/audit/audit.ts";
import { systemClock, type Clock } from "#kernel/clock.ts";
import { auditKeyFile, type Config } from "#kernel/config.ts";
import { openDirectory } from "#kernel/directory.ts";
import { createDispatch, type Dispatch } from "#kernel/dispatch.ts";
import { connectEngine, type EngineServer } from "#kernel/engine/engine.ts";
import { launchEngine, type EngineProcess } from "#kernel/engine/launch.ts";
import { lockFolder } from "#kernel/folder-lock.ts";
import { startJobs } from "#kernel/jobs.ts";
import { createLog } from "#kernel/log.ts";
import type { Module } from "#kernel/module.ts";
import { embeddedDialect, openStore, postgresDialect } from "#kernel/state/store.ts";
import { contractGate } from "#programs/contracts/gate.ts";
import { openIngest } from "#records/events/ingest.ts";
import { sourceRegistry } from "#records/sources/registry.ts";
import { createModules, tables, type Services } from "./modules.ts";

/** The whole program without its HTTP server: what the server, the command line and the tests stand on. */
export interface System extends Services {
  readonly engine: EngineServer;
  readonly host: EngineProcess | undefined;
  readonly modules: readonly Module[];
  readonly dispatch: Dispatch;
  /** Begins the work that is done now and then. Only a server does; the command line and most tests do not. */
  startJobs(): void;
  close(): Promise<void>;
}

/** Where the state is kept. */
export const dialectOf = ({ database_url, data }: Config) =>
  database_url === undefined ? embeddedDialect(data) : postgresDialect(database_url);

/** Starts everything in order of dependence; `close` ends it in the reverse order and loses nothing. */
export const openSystem = async (config: Config, clock: Clock = systemClock): Promise<System> => {
  const log = createLog(config.log_level);
  const lock = await lockFolder(config.data);
  const url = config.clickhouse_url;
  const hostOptions = {
    path: join(config.data, "engine"),
    memoryBytes: config.engine_memory,
    readers: config.engine_queries,
    log,
  };
  const host = url === undefined ? await launchEngine(hostOptions) : undefined;
  const engine = connectEngine({
    url: host?.url ?? url ?? "",
    username: host === undefined ? config.clickhouse_user : "default",
    password: host?.password ?? config.clickhouse_password,
    functions: config.engine_functions,
  });
  const store = await openStore(dialectOf(config));
  const access = createAccess(store, clock);
  const directory = openDirectory(store, engine, tables, log);
  const gate = contractGate(store, clock, log);
  const ingest = openIngest({
    gate,
    folder: join(config.data, "ingest"),
    fsync: config.ingest_fsync,
    backlogLimit: config.ingest_backlog,
    directory,
    clock,
    log,
  });
  const registry = sourceRegistry(store);
  const audit = openAudit({ store, clock, keyFile: auditKeyFile(config), checkpointFolder: config.audit_checkpoints });
  const services: Services = { config, gate, clock, store, access, audit, directory, ingest, registry, log };
  const modules = createModules(services);
  const dispatch = createDispatch({ modules, access, directory, audit, clock, log, region: config.region });
  let jobs: ReturnType<typeof startJobs> | undefined;

  return {
    ...services,
    engine,
    host,
    modules,
    dispatch,
    startJobs: () => {
      jobs ??= startJobs({ modules, store, directory, clock, log });
    },
    close: async () => {
      await jobs?.stop();
      await ingest.close();
      await engine.close();
      await store.destroy();
      await host?.stop();
      lock.release();
    },
  };
};
