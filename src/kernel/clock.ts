/** Milliseconds since the epoch. The only source of "now" that modules may use, so that tests can move it. */
export interface Clock {
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** A clock that stands where it was put. */
export const fixedClock = (at: string | number): Clock => {
  const ms = typeof at === "number" ? at : Date.parse(at);
  return { now: () => ms };
};
