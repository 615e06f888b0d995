import { z } from "zod";
import { defineOperation } from "#kernel/operation.ts";

/** Why a single sign-on was refused. The address of the page carries the name alone, so that nobody can put words on it. */
export const refusals = {
  begun_elsewhere: "This sign-in was not begun in this browser, or too long ago. Begin anew.",
  no_email: "The provider did not tell your email address.",
  not_verified: "The provider has not verified your email address.",
  unknown: "Nobody is known here by this address. Ask an admin to add you.",
  unreachable: "The sign-on provider does not answer. Try again, or sign in by password.",
  invalid: "The sign-on provider's answer was not valid. Begin anew.",
} as const;
export type RefusalName = keyof typeof refusals;

const Code = z.string().trim().min(6).max(40);
const ok = z.object({ ok: z.literal(true) });

export const status = defineOperation({
  name: "signOn.status",
  summary: "Whether you have a second factor, and how many recovery codes are left.",
  permission: "member",
  input: z.strictObject({}),
  output: z.object({ recoveryLeft: z.int().nullable().describe("Null where you have no second factor.") }),
});

export const prepare = defineOperation({
  name: "signOn.prepare",
  summary: "A secret for an authenticator app. It counts once a code of it is confirmed.",
  permission: "member",
  input: z.strictObject({ password: z.string().max(200) }),
  output: z.object({ secret: z.string(), address: z.string().describe("otpauth: address, as QR codes hold it.") }),
});

export const confirm = defineOperation({
  name: "signOn.confirm",
  summary: "Takes the secret into use with a code of it; the recovery codes are given this once.",
  permission: "member",
  input: z.strictObject({ code: Code }),
  output: z.object({ recovery: z.array(z.string()) }),
});

export const remove = defineOperation({
  name: "signOn.remove",
  summary: "Takes your second factor away.",
  permission: "member",
  input: z.strictObject({ password: z.string().max(200), code: Code }),
  output: ok,
});
