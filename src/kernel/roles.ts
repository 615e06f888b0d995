import type { Permission } from "./operation.ts";

/** Roles of a workspace and what each may do. Everything in this file is browser-safe: the page and the server share it. */
export const roles = ["viewer", "analyst", "marketer", "steward", "auditor", "admin", "owner"] as const;
export type Role = (typeof roles)[number];

const everyone = ["public", "member", "read"] as const;
const grants: Readonly<Record<Role, readonly Permission[]>> = {
  viewer: everyone,
  analyst: [...everyone, "edit"],
  marketer: [...everyone, "edit"],
  steward: [...everyone, "edit", "govern"],
  auditor: [...everyone, "audit"],
  admin: [...everyone, "edit", "govern", "audit", "admin"],
  owner: [...everyone, "edit", "govern", "audit", "admin"],
};

export const allows = (role: Role | undefined, permission: Permission): boolean =>
  role !== undefined && grants[role].includes(permission);
