/** ISO 8601 from the engine's own way of writing a UTC time. */
export const iso = (text: string): string => (text.includes("T") ? text : `${text.replace(" ", "T")}Z`);
