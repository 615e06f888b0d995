import { createHash, randomBytes } from "node:crypto";

/** A random id with a prefix that says what it names, e.g. `ws_3fK…` (96 bits). */
export const newId = (prefix: string): string => `${prefix}_${randomBytes(12).toString("base64url")}`;

/** A secret of 256 bits for sessions and keys; only its hash is kept. */
export const newSecret = (prefix: string): string => `${prefix}_${randomBytes(32).toString("base64url")}`;

/** What is stored of a secret. High-entropy secrets need no salt and no slow hash. */
export const hashSecret = (secret: string): string => createHash("sha256").update(secret).digest("hex");
