/** Kinds of features: of any text alone, and of a whole conversation by who said it. */
export const salts = { text: 0, customer: 0x51ed270b, agent: 0x2545f491 } as const;
