/** Arrivals that a slow reader has not taken yet; beyond this the oldest are left out. */
const mostHeld = 500;
const heartbeatMs = 15_000;

/** What listeners are told, as server-sent events; a comment now and then keeps the connection open. */
export async function* eventStream<T>(
  listen: (listener: (item: T) => void) => () => void,
  signal: AbortSignal,
): AsyncGenerator<string> {
  let held: T[] = [];
  let wake: () => void = () => undefined;
  const stop = listen((item) => {
    held.push(item);
    if (held.length > mostHeld) held.shift();
    wake();
  });
  signal.addEventListener("abort", () => wake(), { once: true });
  try {
    yield ": listening\n\n";
    while (!signal.aborted) {
      const items = held;
      held = [];
      for (const item of items) yield `data: ${JSON.stringify(item)}\n\n`;
      if (held.length > 0 || signal.aborted) continue;
      const slept = await new Promise<boolean>((resolve) => {
        const timer = setTimeout(() => resolve(true), heartbeatMs);
        wake = () => {
          clearTimeout(timer);
          resolve(false);
        };
      });
      if (slept) yield ": still here\n\n";
    }
  } finally {
    stop();
  }
}
