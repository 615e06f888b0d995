/**
 * The sequence evaluator (AssemblyScript, compiled to WebAssembly): for each person's events, sorted by time, it finds
 * the attempts at a series of steps. It runs inside the engine as a function, and beside it in the tests.
 *
 * An event is one u64: milliseconds since the base of the question, shifted left by 25; bits 0–19 say which steps it
 * can fill, bits 20–24 which exclusions it triggers. An answer is the attempts one after another; an attempt is one i64
 * a step: the milliseconds at which it was done, −1 where it was not. An unordered attempt lists the times in the order
 * they came. Where the best attempt is asked for there is always one, of −1 alone if none began.
 *
 * The rules are those of docs/semantics.md: steps at or after one another; events of one millisecond in any order;
 * one event fills one step; the window runs from the first step and includes its end.
 */

import { add, begin, clickhouse_create_buffer, copyWords, finish, mark, questionIn, take } from "./memory.as";
export { clickhouse_create_buffer, clickhouse_destroy_buffer } from "./memory.as";
export { evaluate_paths } from "./paths.as";

// the question, as sequence.ts packs it
const ORDERED = 0, STRICT = 1, UNORDERED = 2;
const BEST = 0, ONE_AFTER_ANOTHER = 1, EVERY = 2;
const STEP_BITS: u64 = 25;
const MAX_STEPS = 20;
const FEW = 256;
/** Elementary steps one call may take, so that no person's history can hold the engine up. */
const BUDGET: u64 = 4_000_000_000;

let order: i32 = 0, firstOnly: bool = false, mode: i32 = 0, steps: i32 = 0;
let windowMs: i64 = 0, entryMs: i64 = 0, optionalMask: u32 = 0, stopChain: bool = false, exclusions: i32 = 0;
let rules: u64 = 0;
let work: u64 = 0;

@inline function clearBytes(at: usize, bytes: i32): void {
  for (let byte = 0; byte < bytes; byte++) store<u8>(at + <usize>byte, 0);
}

let events: usize = 0, count: i32 = 0;
@inline function timeAt(index: i32): i64 { return <i64>(load<u64>(events + (<usize>index << 3)) >> STEP_BITS); }
@inline function maskAt(index: i32): u32 { return <u32>load<u64>(events + (<usize>index << 3)) & 0x1ffffff; }

// scratch: the attempt being followed, and the best so far
const current = memory.data(MAX_STEPS * 8), best = memory.data(MAX_STEPS * 8);
let reached: i32 = 0, completed: i64 = 0, spoiled: bool = false, endedAt: i32 = 0;
// who fills which step within one tie group: step → event index
const filledBy = memory.data(MAX_STEPS * 4), few = memory.data(FEW);
/** A mark for each event of one moment (or each step): a fixed place while they are few. */
let visited: usize = few;
let groupFrom: i32 = 0, groupTo: i32 = 0, groupSkip: i32 = 0;

function groupEnd(from: i32): i32 {
  const time = timeAt(from);
  let to = from + 1;
  while (to < count && timeAt(to) == time) to++;
  return to;
}

/** Finds an event of the group for a step, moving others aside where that helps (an augmenting path). */
function assign(step: i32): bool {
  for (let index = groupFrom; index < groupTo; index++) {
    work++;
    if (index == groupSkip || (maskAt(index) & (1 << step)) == 0) continue;
    const mark = visited + (index - groupFrom);
    if (load<u8>(mark) != 0) continue;
    store<u8>(mark, 1);
    let holder = -1;
    for (let other = 0; other < steps; other++) if (load<i32>(filledBy + (<usize>other << 2)) == index) { holder = other; break; }
    if (holder < 0 || assign(holder)) {
      store<i32>(filledBy + (<usize>step << 2), index);
      return true;
    }
  }
  return false;
}

function tryAssign(step: i32): bool {
  clearBytes(visited, groupTo - groupFrom);
  return assign(step);
}

@inline function isOptional(step: i32): bool { return (optionalMask & (1 << step)) != 0; }

/** Advances through steps with the events of one moment; returns the last step reached. */
function advanceOrdered(last: i32, time: i64): i32 {
  if (groupTo - groupFrom == 1) {
    if (groupFrom == groupSkip) return last;
    const mask = maskAt(groupFrom);
    for (let step = last + 1; step < steps; step++) {
      if (mask & (1 << step)) { store<i64>(current + (<usize>step << 3), time); return step; }
      if (!isOptional(step)) break;
    }
    return last;
  }
  for (let step = 0; step < steps; step++) store<i32>(filledBy + (<usize>step << 2), -1);
  let step = last + 1;
  while (step < steps) {
    if (tryAssign(step)) { store<i64>(current + (<usize>step << 3), time); last = step; }
    else if (!isOptional(step)) break;
    step++;
  }
  return last;
}

/** Unordered: each event of the moment fills any step still open. `open` counts from the steps done so far. */
const taken = memory.data(MAX_STEPS * 4);
function assignAny(index: i32, depth: i32): bool {
  if (depth > MAX_STEPS) return false;
  const mask = maskAt(index);
  for (let step = 0; step < steps; step++) {
    work++;
    if ((mask & (1 << step)) == 0 || load<u8>(visited + step) != 0) continue;
    store<u8>(visited + step, 1);
    const holder = load<i32>(taken + (<usize>step << 2));
    if (holder < 0 || assignAny(holder, depth + 1)) {
      store<i32>(taken + (<usize>step << 2), index);
      return true;
    }
  }
  return false;
}

function noteExclusions(time: i64): bool {
  for (let index = groupFrom; index < groupTo; index++) {
    const mask = maskAt(index) >> 20;
    if (mask == 0) continue;
    for (let rule = 0; rule < exclusions; rule++) {
      if ((mask & (1 << rule)) == 0) continue;
      const from = <i32>((rules >> (10 * rule)) & 31), to = <i32>((rules >> (10 * rule + 5)) & 31);
      if (reached < from || reached >= to) continue;
      let began = load<i64>(current + (<usize>from << 3));
      for (let step = from; began < 0 && step >= 0; step--) began = load<i64>(current + (<usize>step << 3));
      if (began < time) return true;
    }
  }
  return false;
}

@inline function sharesMoment(index: i32): bool {
  const time = timeAt(index);
  return (index > 0 && timeAt(index - 1) == time) || (index + 1 < count && timeAt(index + 1) == time);
}

/** The steps that an event can fill when `step` was the last one done: the next, and beyond it where it is optional. */
@inline function openAfter(step: i32): u32 {
  let open: u32 = 0;
  for (let next = step + 1; next < steps; next++) {
    open |= 1 << next;
    if (!isOptional(next)) break;
  }
  return open;
}

/** The same in any order but unordered, as long as no two events share a moment; false where two do. */
function followAlone(start: i32, began: i64): bool {
  let at = start + 1, last = began, open = openAfter(0);
  while (at < count) {
    const event = load<u64>(events + (<usize>at << 3));
    const time = <i64>(event >> STEP_BITS);
    if (time - began > windowMs) break;
    if (time == last) return false;
    last = time;
    const mask = <u32>event & 0x1ffffff;
    const fills = mask & open;
    if (fills != 0 || mask >> 20 != 0 || order == STRICT) {
      if (at + 1 < count && timeAt(at + 1) == time) return false;
      if (fills != 0) {
        reached = <i32>ctz(fills);
        completed = time;
        store<i64>(current + (<usize>reached << 3), time);
        if (reached == steps - 1) { at++; break; }
        open = openAfter(reached);
      }
      groupFrom = at; groupTo = at + 1;
      if (mask >> 20 != 0 && noteExclusions(time)) {
        spoiled = true;
        if (stopChain) { at++; break; }
      }
    }
    at++;
    if (order == STRICT && fills == 0) break;
  }
  work += <u64>(at - start);
  endedAt = at - 1;
  return true;
}

/** Follows one attempt from its first event. Leaves its times in `current`. */
function follow(start: i32): void {
  const began = timeAt(start);
  for (let step = 0; step < steps; step++) store<i64>(current + (<usize>step << 3), -1);
  store<i64>(current, began);
  reached = 0; completed = began; spoiled = false;
  groupSkip = start;
  let filled = 0;
  if (order == UNORDERED) {
    for (let step = 0; step < steps; step++) store<i32>(taken + (<usize>step << 2), -1);
    clearBytes(visited, MAX_STEPS);
    assignAny(start, 0);
    filled = 1;
  } else if (steps > 1 && (maskAt(start) >> 20) == 0 && !sharesMoment(start)) {
    if (followAlone(start, began)) return;
    for (let step = 1; step < steps; step++) store<i64>(current + (<usize>step << 3), -1);
    reached = 0; completed = began; spoiled = false;
  }
  let from = start;
  while (from > 0 && timeAt(from - 1) == began) from--;
  endedAt = start;
  while (from < count) {
    const time = timeAt(from);
    if (time - began > windowMs) break;
    groupFrom = from; groupTo = groupEnd(from);
    work += 1;
    const before = reached;
    if (order == UNORDERED) {
      for (let index = groupFrom; index < groupTo && filled < steps; index++) {
        if (index == start) continue;
        clearBytes(visited, MAX_STEPS);
        if (assignAny(index, 0)) { store<i64>(current + (<usize>filled << 3), time); filled++; }
      }
      reached = filled - 1;
    } else {
      reached = advanceOrdered(reached, time);
    }
    if (reached > before) completed = time;
    endedAt = groupTo - 1;
    if (reached == steps - 1) return;
    if (exclusions > 0 && noteExclusions(time)) {
      spoiled = true;
      if (stopChain) return;
    }
    if (order == STRICT && reached == before && time > began) return;
    from = groupTo;
  }
  endedAt = from - 1;
}

@inline function opens(index: i32): bool {
  if (timeAt(index) >= entryMs) return false;
  return order == UNORDERED ? (maskAt(index) & 0xfffff) != 0 : (maskAt(index) & 1) != 0;
}

let attemptsAt: usize = 0;
let attempts: u32 = 0;
function emit(from: usize): void {
  // scratch grows with the attempts; it is the last thing allocated, so it can
  const at = take(<usize>steps << 3);
  if (attempts == 0) attemptsAt = at;
  for (let step = 0; step < steps; step++) store<i64>(attemptsAt + ((<usize>attempts * steps + step) << 3), load<i64>(from + (<usize>step << 3)));
  attempts++;
}

/** Whether the current attempt did its steps sooner than the best one, at the first step where they differ. */
function sooner(): bool {
  for (let step = 0; step < steps; step++) {
    const mine = load<i64>(current + (<usize>step << 3)), its = load<i64>(best + (<usize>step << 3));
    if (mine != its) return mine < its;
  }
  return false;
}

/** Keeps the furthest attempt; then the earliest completed; then the latest begun. */
function chooseBest(): void {
  let bestReached = -1, bestCompleted: i64 = 0, bestStart: i64 = 0, bestSpoiled = false;
  for (let start = 0; start < count; start++) {
    if (!opens(start)) continue;
    follow(start);
    if (work > BUDGET) unreachable();
    const hides = spoiled && !stopChain;
    const began = timeAt(start);
    let better = reached > bestReached || (reached == bestReached && bestSpoiled && !hides);
    if (!better && reached == bestReached && hides == bestSpoiled) {
      better = completed < bestCompleted || (completed == bestCompleted && (began > bestStart || (began == bestStart && sooner())));
    }
    if (better) {
      bestReached = reached; bestCompleted = completed; bestStart = began; bestSpoiled = hides;
      copyWords(best, current, steps);
    }
    if (firstOnly) break;
  }
  if (bestReached >= 0 && !bestSpoiled) emit(best);
}

/** Attempts that begin only after the one before converted, timed out or was stopped. */
function chooseOneAfterAnother(): void {
  let start = 0;
  while (start < count) {
    if (!opens(start)) { start++; continue; }
    follow(start);
    if (work > BUDGET) unreachable();
    if (!(spoiled && !stopChain)) emit(current);
    start = (endedAt > start ? endedAt : start) + 1;
  }
}

function chooseEvery(): void {
  for (let start = 0; start < count; start++) {
    if (!opens(start)) continue;
    follow(start);
    if (work > BUDGET) unreachable();
    if (!(spoiled && !stopChain)) emit(current);
    if (firstOnly) break;
  }
}

// the plain case in one pass: for each step, the attempt that reached it with the latest start
const latest = memory.data(MAX_STEPS * 8), latestPath = memory.data(MAX_STEPS * MAX_STEPS * 8);
@inline function startOf(step: i32): i64 { return load<i64>(latest + (<usize>step << 3)); }
@inline function pathOf(step: i32): usize { return latestPath + <usize>(step * steps) * 8; }

function extend(from: i32, to: i32, time: i64): void {
  const path = pathOf(to);
  if (from >= 0) copyWords(path, pathOf(from), from + 1);
  for (let step = from + 1; step <= to; step++) store<i64>(path + (<usize>step << 3), time);
  store<i64>(latest + (<usize>to << 3), from < 0 ? time : startOf(from));
}

/**
 * The plain case where no event shares its moment with another and each can fill one step: for each step the latest
 * start of an attempt that reached it, without branches that events decide. False where it does not hold.
 */
const starts = memory.data(MAX_STEPS * 8 + 8);
const NEVER: i64 = i64.MIN_VALUE >> 1;
function choosePlainAlone(): bool {
  // before the first place: where an attempt that begins now would have begun
  const states = starts + 8;
  for (let step = 0; step < steps; step++) store<i64>(states + (<usize>step << 3), NEVER);
  const end = events + (<usize>count << 3);
  const stepMask = (1 << steps) - 1;
  let bestReached = -1, bestStart: i64 = 0, last: i64 = -1;
  let at = events;
  for (; at < end; at += 8) {
    const event = load<u64>(at);
    const time = <i64>(event >> STEP_BITS);
    const mask = <i32>event & stepMask;
    if (time == last || (mask & (mask - 1)) != 0) return false;
    last = time;
    if (mask == 0) continue;
    const step = <i32>ctz(mask);
    const state = states + (<usize>step << 3);
    store<i64>(starts, select<i64>(time, NEVER, time < entryMs));
    const began = load<i64>(state - 8);
    const within = time - began <= windowMs;
    store<i64>(state, select<i64>(began, load<i64>(state), within));
    if (within && step > bestReached) {
      bestReached = step;
      bestStart = began;
      if (step == steps - 1) break;
    }
  }
  // what shares the last moment could have filled a step before it
  if (at + 8 < end && <i64>(load<u64>(at + 8) >> STEP_BITS) == last) return false;
  work += <u64>count;
  if (work > BUDGET) unreachable();
  if (bestReached < 0) return true;
  // the times of its steps: the first of each after the one before
  for (let step = bestReached + 1; step < steps; step++) store<i64>(best + (<usize>step << 3), -1);
  store<i64>(best, bestStart);
  let step = 1;
  for (at = events; step <= bestReached; at += 8) {
    const event = load<u64>(at);
    const time = <i64>(event >> STEP_BITS);
    if (time <= bestStart || (<u32>event & (1 << step)) == 0) continue;
    store<i64>(best + (<usize>step << 3), time);
    step++;
  }
  attemptsAt = best;
  attempts = 1;
  return true;
}

function choosePlain(): void {
  if (choosePlainAlone()) return;
  for (let step = 0; step < steps; step++) store<i64>(latest + (<usize>step << 3), -1);
  const stepMask = (1 << steps) - 1;
  let bestReached = -1;
  work += <u64>count;
  for (let first = 0; first < count; ) {
    const time = timeAt(first);
    const to = groupEnd(first);
    let furthest = -1;
    if (to == first + 1) {
      let mask = <i32>maskAt(first) & stepMask;
      while (mask != 0) {
        // from the furthest step down, so that a state is used as it was before this event
        const step = 31 - clz(mask);
        mask ^= 1 << step;
        if (step == 0) {
          if (time >= entryMs) break;
          store<i64>(latest, time);
          store<i64>(latestPath, time);
        } else {
          const began = startOf(step - 1);
          if (began < 0 || time - began > windowMs || startOf(step) >= began) continue;
          extend(step - 1, step, time);
        }
        if (step > furthest) furthest = step;
      }
    } else {
      furthest = extendAtOnce(first, to, time);
    }
    first = to;
    if (furthest > bestReached) {
      bestReached = furthest;
      copyWords(best, pathOf(furthest), furthest + 1);
      if (bestReached == steps - 1) break;
    }
  }
  if (work > BUDGET) unreachable();
  if (bestReached < 0) return;
  for (let step = bestReached + 1; step < steps; step++) store<i64>(best + (<usize>step << 3), -1);
  emit(best);
}

/** Extends the states with the events of one moment, of which each fills one step. Returns the furthest step reached. */
function extendAtOnce(from: i32, to: i32, time: i64): i32 {
  let furthest = -1;
  groupFrom = from; groupTo = to; groupSkip = -1;
  work += <u64>(to - from) * steps;
  // from the furthest state down, so that a state is used as it was before this moment
  for (let base = steps - 2; base >= -1; base--) {
    const began = base < 0 ? time : startOf(base);
    if (began < 0 || time - began > windowMs || (base < 0 && time >= entryMs)) continue;
    for (let step = 0; step < steps; step++) store<i32>(filledBy + (<usize>step << 2), -1);
    let end = base;
    while (end + 1 < steps && tryAssign(end + 1)) end++;
    for (let step = end; step > base; step--) {
      if (startOf(step) >= began) continue;
      extend(base, step, time);
      if (step > furthest) furthest = step;
    }
  }
  if (work > BUDGET) unreachable();
  return furthest;
}

function evaluateRow(): void {
  attempts = 0;
  const plain = order == ORDERED && mode == BEST && !firstOnly && optionalMask == 0 && exclusions == 0;
  if (count > 0) {
    if (plain) choosePlain();
    else if (mode == BEST) chooseBest();
    else if (mode == ONE_AFTER_ANOTHER) chooseOneAfterAnother();
    else chooseEvery();
  }
  if (mode != BEST || attempts > 0) return;
  for (let step = 0; step < steps; step++) store<i64>(best + (<usize>step << 3), -1);
  attemptsAt = best;
  attempts = 1;
}

/** Rows of (events Array(UInt64), question FixedString(32)) to rows of Array(Int64). The question is one for all rows. */
export function evaluate_sequence(handle: usize, rows: u32): usize {
  const result = clickhouse_create_buffer(0);
  const input = <usize>load<u32>(handle);
  const ends = input + 24, elements = ends + (<usize>rows << 3);
  if (rows > 0) readQuestion(questionIn(input));
  work = 0;
  begin(rows, <usize>steps);
  let from: usize = 0;
  for (let row: u32 = 0; row < rows; row++) {
    const to = <usize>load<u64>(ends + (<usize>row << 3));
    events = elements + (from << 3);
    count = <i32>(to - from);
    from = to;
    const scratch = mark();
    visited = count > FEW ? take(<usize>count) : few;
    evaluateRow();
    add(row, attemptsAt, <usize>attempts * <usize>steps, scratch);
  }
  return finish(result, rows);
}

function readQuestion(at: usize): void {
  const shape = load<u64>(at);
  rules = load<u64>(at, 8);
  windowMs = load<i64>(at, 16);
  entryMs = load<i64>(at, 24);
  steps = <i32>(shape & 31);
  order = <i32>((shape >> 5) & 3);
  firstOnly = ((shape >> 7) & 1) != 0;
  mode = <i32>((shape >> 8) & 3);
  stopChain = ((shape >> 10) & 1) != 0;
  exclusions = <i32>((shape >> 11) & 7);
  optionalMask = <u32>(shape >> 14) & 0xfffff;
  if (steps < 1 || steps > MAX_STEPS || exclusions > 5) unreachable();
}
