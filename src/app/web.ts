import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance } from "fastify";

const folder = [new URL("../../dist/web/", import.meta.url), new URL("./web/", import.meta.url)]
  .map((url) => fileURLToPath(url))
  .find((path) => existsSync(path));

const policy = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'", // Parquet files are unpacked in the page by WebAssembly
  "style-src 'self' 'unsafe-inline'", // the kit of components sets styles on elements
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'self'",
].join("; ");

/** Serves the built web app; every address that nothing else answers is one of its pages. */
export const mountWeb = async (http: FastifyInstance): Promise<void> => {
  if (folder === undefined) {
    http.setNotFoundHandler((_request, reply) =>
      reply.code(404).send({
        error: {
          code: "http.not_found",
          message: "There is nothing here. The web app is not built: run npm run build.",
          details: {},
        },
      }),
    );
    return;
  }
  await http.register(fastifyStatic, {
    root: folder,
    wildcard: false,
    setHeaders: (reply, path) => {
      void reply.header(
        "cache-control",
        path.includes("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
      );
      void reply.header("content-security-policy", policy);
    },
  });
  http.setNotFoundHandler((request, reply) => {
    const wantsPage = request.method === "GET" && /text\/html/.test(request.headers.accept ?? "");
    if (wantsPage) return reply.sendFile("index.html");
    return reply.code(404).send({
      error: {
        code: "http.not_found",
        message: `There is nothing at ${request.method} ${request.url.split("?")[0] ?? ""}.`,
        details: {},
      },
    });
  });
};
