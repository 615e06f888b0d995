/** How carefully data is to be handled, the most careful last. What nobody has classed is `internal`. */
export const dataClasses = ["public", "internal", "personal", "restricted"] as const;
export type DataClass = (typeof dataClasses)[number];

/** Whose property it is: an event's, or a trait of a person or an account. */
export const holders = ["event", "person", "account"] as const;
export type Holder = (typeof holders)[number];
