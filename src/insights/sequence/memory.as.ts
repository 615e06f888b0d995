/** Memory of the module, shared by all that it evaluates: buffers that the engine fills, results, and scratch. */

// a bump allocator that starts anew whenever no buffer is alive
let top: usize = 0, alive: i32 = 0;

export function take(size: usize): usize {
  if (top == 0) top = (__heap_base + 15) & ~(<usize>15);
  const at = top;
  top = (top + size + 15) & ~(<usize>15);
  const pages = <i32>((top + 0xffff) >> 16) - memory.size();
  if (pages > 0 && memory.grow(pages) < 0) unreachable();
  return at;
}

export function clickhouse_create_buffer(size: u32): usize {
  const handle = take(8 + size);
  store<u32>(handle, <u32>(handle + 8));
  store<u32>(handle, size, 4);
  alive++;
  return handle;
}

export function clickhouse_destroy_buffer(_handle: usize): void {
  alive--;
  if (alive == 0) top = 0;
}

/** Where the question lies in a call's input: in its second column, in every row. */
@inline export function questionIn(input: usize): usize { return input + 24 + <usize>load<u64>(input, 16) + 8; }

/** Where free memory begins: what is taken after it is scratch. */
@inline export function mark(): usize { return top; }

/** A few words at a time; for so little the engine's own bulk copy costs more than a loop. */
@inline export function copyWords(to: usize, from: usize, words: i32): void {
  for (let word = 0; word < words; word++) store<u64>(to + (<usize>word << 3), load<u64>(from + (<usize>word << 3)));
}


/**
 * A result that is being written: one column of arrays of 64-bit words in the engine's Buffers format, which is
 * columns, rows, then for each column its bytes and its data, here the end of each array and then all elements.
 */
let out: usize = 0, capacity: usize = 0, head: usize = 0, words: usize = 0;

/** Begins the result of so many rows; `likely` is how many words a row gives as a rule. */
export function begin(rows: u32, likely: usize): void {
  head = 24 + (<usize>rows << 3);
  words = 0;
  capacity = 1024 + head + ((<usize>rows * likely) << 3);
  out = take(capacity);
}

/** Adds a row. Gives scratch back to `scratch`, unless the result had to grow beyond it. */
export function add(row: u32, from: usize, count: usize, scratch: usize): void {
  const need = head + ((words + count) << 3);
  if (need > capacity) {
    // it grows by copying; what lies below it is lost until the buffers are given back
    while (capacity < need) capacity <<= 1;
    const moved = take(capacity);
    memory.copy(moved, out, head + (words << 3));
    out = moved;
  } else top = scratch;
  copyWords(out + head + (words << 3), from, <i32>count);
  words += count;
  store<u64>(out + 24 + (<usize>row << 3), words);
}

/** Hands the result over. */
export function finish(handle: usize, rows: u32): usize {
  store<u64>(out, 1);
  store<u64>(out, rows, 8);
  store<u64>(out, (<u64>rows << 3) + (<u64>words << 3), 16);
  store<u32>(handle, <u32>out);
  store<u32>(handle, <u32>(head + (words << 3)), 4);
  return handle;
}
