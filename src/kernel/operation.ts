import type { z } from "zod";

/**
 * What a caller must be allowed to do. `public` needs nobody, `member` any signed-in person, in any workspace or none;
 * `govern` is for contracts, identities and requests about personal data, `audit` for the log, `admin` for members and keys.
 */
export type Permission = "public" | "member" | "read" | "edit" | "govern" | "audit" | "admin";

/** The contract of one operation: the same for HTTP, the page, the command line and everything that comes later. */
export interface Operation<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  /** `module.verb`; also its address: POST /api/module.verb */
  readonly name: string;
  readonly summary: string;
  readonly permission: Permission;
  /** It changes nothing although it needs more than `read`; so it is not written down as a change. */
  readonly onlyLooks?: true;
  /** Its answer shows personal data of people by themselves; so it is written down who looked. */
  readonly discloses?: true;
  readonly input: I;
  readonly output: O;
}

/** An answer that is a file, sent as it comes. */
export class FileAnswer {
  readonly name: string;
  /** Media type. */
  readonly type: string;
  readonly content: AsyncIterable<unknown>;
  constructor(name: string, type: string, content: AsyncIterable<unknown>) {
    this.name = name;
    this.type = type;
    this.content = content;
  }
}

export const defineOperation = <I extends z.ZodType, O extends z.ZodType>(
  operation: Operation<I, O>,
): Operation<I, O> => operation;
