/**
 * A map from 64-bit keys to 64-bit values in two typed arrays: 32 bytes an entry where a Map of strings takes some 150.
 * Keys are never 0 (0 marks a free slot) and are taken to be spread evenly, as keys made by a hash are.
 */
export class U64Map {
  #keys = new BigUint64Array(1_024);
  #values = new BigUint64Array(1_024);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: bigint): bigint | undefined {
    const slot = this.#slot(key);
    return this.#keys[slot] === key ? this.#values[slot] : undefined;
  }

  has(key: bigint): boolean {
    return this.#keys[this.#slot(key)] === key;
  }

  set(key: bigint, value: bigint): void {
    if (this.#size * 2 >= this.#keys.length) this.#grow();
    const slot = this.#slot(key);
    if (this.#keys[slot] !== key) this.#size += 1;
    this.#keys[slot] = key;
    this.#values[slot] = value;
  }

  /** The slot that holds the key, or the free one where it would go. */
  #slot(key: bigint): number {
    const mask = this.#keys.length - 1;
    let slot = Number(key & 0x7fff_ffffn) & mask;
    for (let held = this.#keys[slot]; held !== key && held !== 0n; held = this.#keys[slot]) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const keys = this.#keys;
    const values = this.#values;
    this.#keys = new BigUint64Array(keys.length * 2);
    this.#values = new BigUint64Array(keys.length * 2);
    this.#size = 0;
    keys.forEach((key, slot) => {
      if (key !== 0n) this.set(key, values[slot] ?? 0n);
    });
  }
}
