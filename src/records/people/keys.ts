import { createHmac } from "node:crypto";

/** Turns raw identifiers into keys of ours. */
export interface Keys {
  /** Key of a known id: 64 bits that say nothing about the id to anybody without the workspace's secret. */
  actor(id: string): string;
  /** Key of a message id within its source. */
  message(id: string): string;
}

const cacheSize = 100_000;

/** Keyed hashes (HMAC-SHA-256, cut to 64 bits): the same id has the same key after a restart, without a look-up. */
export const keysOf = (secret: string): Keys => {
  const known = new Map<string, string>();
  const key = (purpose: string, id: string): string => {
    const bytes = createHmac("sha256", secret).update(purpose).update(id).digest();
    const value = bytes.readBigUInt64LE(0);
    return String(value === 0n ? 1n : value);
  };
  return {
    actor: (id) => {
      const held = known.get(id);
      if (held !== undefined) return held;
      if (known.size >= cacheSize) known.clear();
      const made = key("id:", id);
      known.set(id, made);
      return made;
    },
    message: (id) => key("message:", id),
  };
};
