import type { FastifyInstance } from "fastify";
import { collectDefaultMetrics, Gauge, Registry } from "prom-client";
import type { System } from "./system.ts";

/** /healthz: the process answers. /readyz: it can take and answer. /metrics: Prometheus text. */
export const mountHealth = (http: FastifyInstance, system: System): void => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const gauge = (name: string, help: string, read: () => number): void => {
    const made: Gauge = new Gauge({ name, help, registers: [registry], collect: () => made.set(read()) });
  };
  const { ingest, host } = system;
  gauge("throughline_events_accepted_total", "Events acknowledged since the start.", () => ingest.stats.accepted);
  gauge(
    "throughline_events_rejected_total",
    "Events kept as dead letters since the start.",
    () => ingest.stats.rejected,
  );
  gauge("throughline_events_repeated_total", "Repeats left out since the start.", () => ingest.stats.repeats);
  gauge(
    "throughline_ingest_backlog_bytes",
    "Acknowledged events that wait for the store.",
    () => ingest.stats.backlogBytes,
  );
  gauge("throughline_engine_up", "1 while the engine host answers.", () => (host === undefined || host.up ? 1 : 0));
  gauge(
    "throughline_engine_restarts_total",
    "Times the engine host came back after a crash.",
    () => host?.restarts ?? 0,
  );

  http.get("/healthz", async () => ({ status: "ok" }));
  http.get("/readyz", async (_request, reply) => {
    const parts = {
      state: await system.store
        .selectFrom("workspaces")
        .select("id")
        .limit(1)
        .execute()
        .then(() => "ok", String),
      engine: await system.engine.version().then(
        () => "ok",
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      ),
      ingest: ingest.stats.failing ?? "ok",
    };
    const ready = Object.values(parts).every((part) => part === "ok");
    return reply
      .code(ready ? 200 : 503)
      .send({ status: ready ? "ok" : "not ready", ...parts, engineRestarts: host?.restarts ?? 0 });
  });
  http.get("/metrics", async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()));
};
