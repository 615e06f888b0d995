import { Session } from "chdb";

/** A chdb session runs one statement at a time, so each request holds one for its whole life. */
export interface SessionPool {
  take(signal: AbortSignal): Promise<Session>;
  give(session: Session): void;
  /** Throws a session away (its state is unknown) and opens another in its place. */
  replace(session: Session): void;
  readonly waiting: number;
  close(): void;
}

interface Waiter {
  readonly resolve: (session: Session) => void;
  readonly signal: AbortSignal;
}

/** `size` sessions over one data folder, each begun with a statement. The engine itself must already be open there. */
export const sessionPool = (path: string, size: number, begin: string): SessionPool => {
  const all = new Set<Session>();
  const free: Session[] = [];
  const queue: Waiter[] = [];
  const open = (): void => {
    const session = new Session(path);
    session.query(begin);
    all.add(session);
    free.push(session);
  };
  for (let n = 0; n < size; n += 1) open();

  const serve = (): void => {
    while (free.length > 0 && queue.length > 0) {
      const waiter = queue.shift();
      if (waiter === undefined || waiter.signal.aborted) continue;
      const session = free.pop();
      if (session !== undefined) waiter.resolve(session);
    }
  };

  return {
    take: (signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener("abort", () => reject(new Error("the caller went away")), { once: true });
        queue.push({ resolve, signal });
        serve();
      }),
    give: (session) => {
      if (!all.has(session)) return;
      free.push(session);
      serve();
    },
    replace: (session) => {
      all.delete(session);
      session.close();
      open();
      serve();
    },
    get waiting() {
      return queue.length;
    },
    close: () => {
      for (const session of all) session.close();
      all.clear();
    },
  };
};
