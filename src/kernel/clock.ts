/** Milliseconds since the epoch. The only source of "now" that modules may use, so that tests can move it. */
export interface Clock {
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };
