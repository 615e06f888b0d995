/**
 * A Bloom filter over 64-bit keys in two generations, for "surely not seen in the last days". 16 MiB a generation hold
 * some 14 million keys at one false alarm in a hundred; beyond that alarms grow more frequent, never wrong.
 */
export interface RecentKeys {
  add(key: bigint): void;
  mayHave(key: bigint): boolean;
}

const bits = 27;
const probes = [0n, 9n, 18n, 27n] as const;

export const recentKeys = (now: () => number, generationMs: number): RecentKeys => {
  let current = new Uint32Array(1 << (bits - 5));
  let previous = new Uint32Array(0);
  let began = now();
  const places = (key: bigint): number[] => probes.map((shift) => Number((key >> shift) & ((1n << BigInt(bits)) - 1n)));
  const has = (filter: Uint32Array, place: number): boolean => ((filter[place >>> 5] ?? 0) & (1 << (place & 31))) !== 0;
  return {
    add: (key) => {
      if (now() - began > generationMs) {
        previous = current;
        current = new Uint32Array(1 << (bits - 5));
        began = now();
      }
      for (const place of places(key)) current[place >>> 5] = (current[place >>> 5] ?? 0) | (1 << (place & 31));
    },
    mayHave: (key) => {
      const at = places(key);
      return (
        at.every((place) => has(current, place)) || (previous.length > 0 && at.every((place) => has(previous, place)))
      );
    },
  };
};
