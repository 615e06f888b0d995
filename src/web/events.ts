import type { z } from "zod";
import type { Operation } from "#kernel/operation.ts";
import { open } from "./call.ts";

/**
 * Reads the server-sent events of an operation until the signal ends it; begins again when the connection breaks.
 * `opened` is told each time it listens: what happened before is to be asked for then.
 */
export const follow = async <T extends z.ZodType>(
  operation: Operation,
  item: T,
  signal: AbortSignal,
  seen: (item: z.output<T>) => void,
  opened: () => void = () => undefined,
): Promise<void> => {
  while (!signal.aborted) {
    try {
      const { body } = await open(operation, {}, signal);
      opened();
      const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
      let held = "";
      for (let part = await reader?.read(); part !== undefined && !part.done; part = await reader?.read()) {
        const blocks = (held + part.value).split("\n\n");
        held = blocks.pop() ?? "";
        for (const block of blocks) if (block.startsWith("data: ")) seen(item.parse(JSON.parse(block.slice(6))));
      }
    } catch {
      // said by the other questions of the page; here it is only tried again
    }
    await new Promise((resolve) => setTimeout(resolve, 2_000));
  }
};
