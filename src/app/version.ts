import { createRequire } from "node:module";

const load = createRequire(import.meta.url);
// two folders up from the sources, one from the bundle
const manifest: unknown = load(import.meta.url.endsWith(".ts") ? "../../package.json" : "../package.json");

/** Version of this program, from its manifest. */
export const version: string =
  typeof manifest === "object" && manifest !== null && "version" in manifest ? String(manifest.version) : "0.0.0";
