/** HTTP statuses a refusal may carry; 4xx is for the caller to mend, 503 to try again later. */
type RefusalStatus = 400 | 401 | 403 | 404 | 405 | 409 | 413 | 415 | 422 | 429 | 503;

/**
 * Something the caller can fix. `code` is stable and dotted (`funnel.too_short`), `message` is a full sentence that
 * says what, where and what to do; `details` is safe to show. Everything that is not a Refusal is a bug.
 */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly status: RefusalStatus;

  constructor(
    code: string,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    status: RefusalStatus = 400,
  ) {
    super(message);
    this.code = code;
    this.details = details;
    this.status = status;
  }
}

/** The refusal inside an error chain, if there is one. */
export const refusalIn = (error: unknown): Refusal | undefined => {
  if (error instanceof Refusal) return error;
  return error instanceof Error && error.cause !== undefined ? refusalIn(error.cause) : undefined;
};
