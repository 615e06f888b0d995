/**
 * Runs each of them, so many at a time, and answers in their order. Where one fails, none is begun after it, those that run
 * are told to end, and the whole fails for the same reason; all have ended then.
 */
export const inTurns = async <A, B>(
  all: readonly A[],
  atOnce: number,
  run: (one: A, signal: AbortSignal) => Promise<B>,
  signal?: AbortSignal,
): Promise<B[]> => {
  const failed = new AbortController();
  const ends = AbortSignal.any([failed.signal, ...(signal === undefined ? [] : [signal])]);
  const answers: B[] = [];
  const next = all.entries();
  const work = async (): Promise<void> => {
    for (const [place, one] of next) {
      if (failed.signal.aborted) return;
      try {
        answers[place] = await run(one, ends);
      } catch (error) {
        if (!failed.signal.aborted) failed.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  if (failed.signal.aborted) throw failed.signal.reason;
  return answers;
};
