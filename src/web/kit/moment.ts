/** A time as people of this browser write it. */
export const moment = (iso: string): string => new Date(iso).toLocaleString();
