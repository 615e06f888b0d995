import { z } from "zod";
import { defineOperation } from "#kernel/operation.ts";

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
