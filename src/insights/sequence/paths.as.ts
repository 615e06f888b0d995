/**
 * Paths (AssemblyScript): for each person's events, sorted by time, the ways they went. An event is one u64:
 * milliseconds since the base of the question, shifted left by 25, with the number of its node in the low bits.
 *
 * A pause longer than the gap begins another path. Repeats of a node collapse to the first (where asked), the path is
 * cut before the first start node and after the first end node, and to the most steps shown: the last ones where only an
 * end is given, else the first. An answer is a list of links, one u64 each:
 * milliseconds << 29 | place of the first node << 24 | first node << 12 | second node. Where a path ends early, its last
 * node has a link to END.
 */
import { add, begin, clickhouse_create_buffer, finish, mark, questionIn, take } from "./memory.as";

const NODE_BITS: u64 = 25;
export const END: u64 = 4095;

let starts: i32 = 0, ends: i32 = 0, mostSteps: i32 = 0, collapses: bool = false;
let links: usize = 0, linkCount: usize = 0;

/** The nodes of a path lie at `nodes` as packed events. */
function addPath(nodes: usize, count: i32): void {
  let from = 0, to = count;
  if (starts != 0) {
    while (from < to && nodeAt(nodes, from) != starts) from++;
    if (from == to) return;
  }
  if (ends != 0) {
    let last = from;
    while (last < to && nodeAt(nodes, last) != ends) last++;
    if (last == to) return;
    to = last + 1;
  }
  let isCut = false;
  if (to - from > mostSteps) {
    if (ends != 0 && starts == 0) from = to - mostSteps;
    else { to = from + mostSteps; isCut = true; }
  }
  for (let at = from; at + 1 < to; at++) {
    const elapsed = timeAt(nodes, at + 1) - timeAt(nodes, at);
    addLink(elapsed, at - from + 1, nodeAt(nodes, at), nodeAt(nodes, at + 1));
  }
  if (!isCut) addLink(0, to - from, nodeAt(nodes, to - 1), <i32>END);
}

@inline function nodeAt(nodes: usize, at: i32): i32 { return <i32>load<u64>(nodes + (<usize>at << 3)) & 0xfff; }
@inline function timeAt(nodes: usize, at: i32): u64 { return load<u64>(nodes + (<usize>at << 3)) >> NODE_BITS; }

@inline function addLink(elapsed: u64, place: i32, from: i32, to: i32): void {
  store<u64>(links + (linkCount << 3), (elapsed << 29) | (<u64>place << 24) | (<u64>from << 12) | <u64>to);
  linkCount++;
}

/** Rows of (events Array(UInt64), question FixedString(32)) to rows of Array(UInt64). The question is one for all rows. */
export function evaluate_paths(handle: usize, rows: u32): usize {
  const result = clickhouse_create_buffer(0);
  const input = <usize>load<u32>(handle);
  const lengths = input + 24, elements = lengths + (<usize>rows << 3);
  let gap: u64 = 0;
  if (rows > 0) {
    const question = questionIn(input);
    const shape = load<u64>(question);
    gap = load<u64>(question, 8);
    starts = <i32>(shape & 0xfff); ends = <i32>((shape >> 12) & 0xfff);
    mostSteps = <i32>((shape >> 24) & 31); collapses = ((shape >> 29) & 1) != 0;
    if (mostSteps < 2) unreachable();
  }
  begin(rows, 4);
  let from: usize = 0;
  for (let row: u32 = 0; row < rows; row++) {
    const to = <usize>load<u64>(lengths + (<usize>row << 3));
    const count = <i32>(to - from);
    const events = elements + (from << 3);
    from = to;
    const scratch = mark();
    const nodes = take(<usize>count << 3);
    links = take((<usize>count + 1) << 3);
    linkCount = 0;
    let held = 0;
    for (let at = 0; at < count; at++) {
      const event = load<u64>(events + (<usize>at << 3));
      if (at > 0 && (event >> NODE_BITS) - timeAt(events, at - 1) > gap) { if (held > 0) addPath(nodes, held); held = 0; }
      if (collapses && held > 0 && nodeAt(nodes, held - 1) == <i32>(event & 0xfff)) continue;
      store<u64>(nodes + (<usize>held << 3), event);
      held++;
    }
    if (held > 0) addPath(nodes, held);
    add(row, links, linkCount, scratch);
  }
  return finish(result, rows);
}
