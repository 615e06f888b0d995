import { randomBytes } from "node:crypto";
import { Secret, TOTP } from "otpauth";
import type { Clock } from "./clock.ts";
import { hashSecret } from "./ids.ts";
import { Refusal } from "./refusal.ts";
import type { Store } from "./state/store.ts";

const [digits, period] = [6, 30];
/** Codes before and after the present one that count, for clocks that are off. */
const drift = 1;
const recoveryCodes = 10;

/** Codes by time (RFC 6238: SHA-1, six digits, 30 seconds), asked for after a right password, and codes for a lost phone. */
export interface SecondFactor {
  /** How many recovery codes are left; undefined where a member has no second factor. */
  left(member: string): Promise<number | undefined>;
  /** A secret for an authenticator app. It counts once a code of it was given. */
  prepare(member: string, email: string): Promise<{ readonly secret: string; readonly address: string }>;
  /** Takes the secret into use; the recovery codes are shown this once. */
  confirm(member: string, code: string): Promise<readonly string[]>;
  remove(member: string): Promise<void>;
  /** Whether a code is right. Each counts once. */
  check(member: string, code: string): Promise<boolean>;
}

const totpOf = (secret: string, label = "Throughline"): TOTP =>
  new TOTP({ issuer: "Throughline", label, secret: Secret.fromBase32(secret), algorithm: "SHA1", digits, period });

const asTyped = (code: string): string => code.replaceAll(/[\s-]/g, "").toLowerCase();

export const createSecondFactor = (store: Store, clock: Clock): SecondFactor => {
  const find = (member: string) =>
    store.selectFrom("second_factors").selectAll().where("member", "=", member).executeTakeFirst();

  /** The step of time whose code this is; undefined where it is none, or one that has counted already. */
  const stepOf = (secret: string, code: string, after: number): number | undefined => {
    if (!/^\d{6}$/.test(code)) return undefined;
    const delta = totpOf(secret).validate({ token: code, timestamp: clock.now(), window: drift });
    const step = delta === null ? undefined : Math.floor(clock.now() / 1000 / period) + delta;
    return step === undefined || step <= after ? undefined : step;
  };

  return {
    left: async (member) => {
      const row = await find(member);
      return row === undefined || row.confirmed_at === null ? undefined : (JSON.parse(row.recovery) as string[]).length;
    },

    prepare: async (member, email) => {
      const held = await find(member);
      if (held !== undefined && held.confirmed_at !== null)
        throw new Refusal("access.has_factor", "You have a second factor. Remove it first.", {}, 409);
      const secret = new Secret({ size: 20 }).base32;
      const row = { member, secret, confirmed_at: null, last_step: 0, recovery: "[]" };
      await store
        .insertInto("second_factors")
        .values(row)
        .onConflict((conflict) => conflict.column("member").doUpdateSet(row))
        .execute();
      return { secret, address: totpOf(secret, email).toString() };
    },

    confirm: async (member, code) => {
      const row = await find(member);
      if (row === undefined || row.confirmed_at !== null)
        throw new Refusal("access.no_factor", "There is no second factor to confirm. Begin anew.", {}, 409);
      const step = stepOf(row.secret, asTyped(code), row.last_step);
      if (step === undefined)
        throw new Refusal("access.wrong_code", "This code is not right. Take the one that the app shows now.", {}, 403);
      const codes = Array.from({ length: recoveryCodes }, () => randomBytes(8).toString("hex"));
      const recovery = JSON.stringify(codes.map(hashSecret));
      const confirmed_at = new Date(clock.now()).toISOString();
      await store.updateTable("second_factors").set({ confirmed_at, last_step: step, recovery }).where("member", "=", member).execute(); // prettier-ignore
      return codes.map((one) => one.replaceAll(/(.{4})(?=.)/g, "$1-"));
    },

    remove: async (member) => {
      await store.deleteFrom("second_factors").where("member", "=", member).execute();
    },

    check: async (member, typed) => {
      const row = await find(member);
      if (row === undefined) return false;
      const code = asTyped(typed);
      const step = stepOf(row.secret, code, row.last_step);
      if (step !== undefined) {
        // two at once with one code: one of them finds it used
        const used = await store.updateTable("second_factors").set({ last_step: step }).where("member", "=", member).where("last_step", "<", step).executeTakeFirst(); // prettier-ignore
        return used.numUpdatedRows > 0n;
      }
      const codes = JSON.parse(row.recovery) as string[];
      const left = codes.filter((one) => one !== hashSecret(code));
      if (left.length === codes.length) return false;
      const used = await store.updateTable("second_factors").set({ recovery: JSON.stringify(left) }).where("member", "=", member).where("recovery", "=", row.recovery).executeTakeFirst(); // prettier-ignore
      return used.numUpdatedRows > 0n;
    },
  };
};
