/**
 * Calls back for each message of a stream of server-sent events, until it ends or is aborted. Read through `fetch`, since
 * `EventSource` is not everywhere.
 */
export const listen = async (get: typeof fetch, address: string, signal: AbortSignal, heard: () => void): Promise<void> => {
  const response = await get(address, { headers: { accept: "text/event-stream" }, signal });
  if (!response.ok || response.body === null) throw new Error(`The stream of changes answered ${response.status}.`);
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const lines = (rest + decoder.decode(value, { stream: true })).split(/\r\n|\n|\r/);
    rest = (lines.pop() ?? "").slice(-10_000);
    if (lines.some((line) => line.startsWith("data:"))) heard();
  }
}; // prettier-ignore
