import pino, { type Logger } from "pino";

/** Structured logs on standard error, one JSON object a line; secrets are cut out wherever they may appear. */
export const createLog = (level: string): Logger =>
  pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: ["*.password", "*.authorization", "*.cookie", "*.key", "req.headers.authorization", "req.headers.cookie"],
    },
    pino.destination({ dest: 2, sync: true }),
  );
