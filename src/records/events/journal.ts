import {
  close,
  closeSync,
  existsSync,
  fdatasyncSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
} from "node:fs";
import { ftruncateSync, readSync, statSync, unlinkSync, writeSync, fdatasync, write } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { crc32 } from "node:zlib";

/**
 * The ingest journal: a log of frames on disk. An append returns when its frame is on the disk; only then is anything
 * acknowledged. Frames are numbered; the reader works through them in order and notes how far it came.
 *
 * Frame: magic (4) · sequence (8) · length (4) · crc32 of the payload (4) · payload (newline-delimited JSON).
 */
export interface Journal {
  /** Appends lines as part of the next frame. Appends that arrive while the disk is busy share one frame. */
  append(lines: readonly string[]): Promise<void>;
  /** Frames after `sequence`, in order, at most `limitBytes` of them (at least one). */
  read(after: number, limitBytes: number): readonly Frame[];
  /** Sequence of the last frame on disk; 0 for none. */
  readonly last: number;
  /** Bytes of frames that have not been released. */
  readonly backlogBytes: number;
  /** Deletes the files that hold only frames up to `sequence`. */
  release(sequence: number): void;
  /** Begins a new file with the next frame. The answer tells whether the file before it is gone to the last byte. */
  renew(): () => boolean;
  close(): Promise<void>;
}

export interface Frame {
  readonly sequence: number;
  readonly lines: readonly string[];
  readonly bytes: number;
}

interface Located {
  readonly segment: string;
  readonly offset: number;
  readonly length: number;
}

const magic = 0x54_4c_4a_31;
const headBytes = 20;
const segmentBytes = 64 * 1024 * 1024;
const cachedBytes = 32 * 1024 * 1024;

const encode = (sequence: number, payload: Buffer): Buffer => {
  const head = Buffer.alloc(headBytes);
  head.writeUInt32LE(magic, 0);
  head.writeBigUInt64LE(BigInt(sequence), 4);
  head.writeUInt32LE(payload.length, 12);
  head.writeUInt32LE(crc32(payload), 16);
  return Buffer.concat([head, payload]);
};

/** Frames of one segment file, up to the first that is torn; a torn tail was never acknowledged. */
const scan = (path: string): { frames: Map<number, Located>; end: number } => {
  const bytes = readFileSync(path);
  const frames = new Map<number, Located>();
  let at = 0;
  while (at + headBytes <= bytes.length && bytes.readUInt32LE(at) === magic) {
    const length = bytes.readUInt32LE(at + 12);
    const payload = bytes.subarray(at + headBytes, at + headBytes + length);
    if (payload.length < length || crc32(payload) !== bytes.readUInt32LE(at + 16)) break;
    frames.set(Number(bytes.readBigUInt64LE(at + 4)), { segment: path, offset: at + headBytes, length });
    at += headBytes + length;
  }
  return { frames, end: at };
};

const readPayload = ({ segment, offset, length }: Located): Buffer => {
  const file = openSync(segment, "r");
  try {
    const payload = Buffer.alloc(length);
    readSync(file, payload, 0, length, offset);
    return payload;
  } finally {
    closeSync(file);
  }
};

const writeAll = async (file: number, bytes: Buffer, position: number): Promise<void> => {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await promisify(write)(file, bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
};

interface Pending {
  readonly lines: readonly string[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Opens (or begins) the journal in a folder. `fsync` decides whether an append waits for the disk itself; `done` is
 * the sequence that the reader has finished, below which no number is given out again.
 */
export const openJournal = (folder: string, fsync: boolean, done: number): Journal => {
  mkdirSync(folder, { recursive: true });
  const located = new Map<number, Located>();
  /** Every file that is there, also those of which no frame is needed any more. */
  const files = new Set<string>();
  const cache = new Map<number, Frame>();
  let cached = 0;
  let backlogBytes = 0;
  let end = 0;
  let last = done;
  let segment = "";
  let isFull = false;
  let file = -1;

  const segments = readdirSync(folder)
    .filter((name) => name.endsWith(".journal"))
    .sort();
  for (const name of segments) {
    const found = scan(join(folder, name));
    for (const [sequence, place] of found.frames) {
      located.set(sequence, place);
      backlogBytes += place.length;
      last = Math.max(last, sequence);
    }
    segment = join(folder, name);
    files.add(segment);
    end = found.end;
  }
  // A new process never appends to a file that another may have torn.
  if (segment !== "" && statSync(segment).size > end) {
    const torn = openSync(segment, "r+");
    ftruncateSync(torn, end);
    closeSync(torn);
  }

  const startSegment = (): void => {
    const path = join(folder, `${String(last + 1).padStart(16, "0")}.journal`);
    const opened = openSync(path, "w"); // before the old one is let go: a full disk may refuse it
    if (file >= 0) close(file, () => undefined);
    [segment, file, end, isFull] = [path, opened, 0, false];
    files.add(path);
    const directory = openSync(folder, "r");
    fsyncSync(directory);
    closeSync(directory);
  };

  let group: Pending[] = [];
  let flushing: Promise<void> | undefined;

  const persist = async (members: readonly Pending[]): Promise<void> => {
    const lines = members.flatMap((member) => member.lines);
    const payload = Buffer.from(lines.join("\n"));
    if (file < 0 || isFull || end + payload.length > segmentBytes) startSegment();
    const sequence = last + 1;
    const frame = encode(sequence, payload);
    try {
      await writeAll(file, frame, end);
      if (fsync) await promisify(fdatasync)(file);
    } catch (error) {
      ftruncateSync(file, end); // a full disk leaves no torn frame behind
      throw error;
    }
    located.set(sequence, { segment, offset: end + headBytes, length: payload.length });
    end += frame.length;
    backlogBytes += payload.length;
    if (cached + payload.length < cachedBytes) {
      cache.set(sequence, { sequence, lines, bytes: payload.length });
      cached += payload.length;
    }
    last = sequence;
  };

  const flush = async (): Promise<void> => {
    while (group.length > 0) {
      const members = group;
      group = [];
      try {
        await persist(members);
        for (const member of members) member.resolve();
      } catch (error) {
        for (const member of members) member.reject(error);
      }
    }
    flushing = undefined;
  };

  const load = (sequence: number, place: Located): Frame => {
    const held = cache.get(sequence);
    if (held !== undefined) return held;
    const lines = readPayload(place).toString("utf8").split("\n");
    return { sequence, lines, bytes: place.length };
  };

  return {
    append: (lines) =>
      new Promise((resolve, reject) => {
        group.push({ lines, resolve, reject });
        flushing ??= flush();
      }),
    read: (after, limitBytes) => {
      const frames: Frame[] = [];
      let bytes = 0;
      for (let sequence = after + 1; sequence <= last && bytes < limitBytes; sequence += 1) {
        const place = located.get(sequence);
        if (place === undefined) continue;
        if (frames.length > 0 && bytes + place.length > limitBytes) break;
        frames.push(load(sequence, place));
        bytes += place.length;
      }
      return frames;
    },
    get last() {
      return last;
    },
    get backlogBytes() {
      return backlogBytes;
    },
    release: (sequence) => {
      const needed = new Set<string>([segment]);
      for (const [number, place] of located) {
        if (number > sequence) needed.add(place.segment);
        else {
          backlogBytes -= place.length;
          cached -= cache.get(number)?.bytes ?? 0;
          cache.delete(number);
          located.delete(number);
        }
      }
      for (const path of files) {
        if (needed.has(path)) continue;
        if (existsSync(path)) unlinkSync(path);
        files.delete(path);
      }
    },
    renew: () => {
      if (file >= 0 && end === 0) return () => true; // it is new already
      const before = segment;
      if (flushing === undefined) startSegment();
      else isFull = true;
      return () => !files.has(before);
    },
    close: async () => {
      await flushing;
      if (file < 0) return;
      if (fsync) fdatasyncSync(file);
      closeSync(file);
    },
  };
};

/** Sequence before the first frame that lies in the folder; undefined where none does. */
export const beforeFirstFrame = (folder: string): number | undefined => {
  const segments = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".journal")) : [];
  return segments.length === 0 ? undefined : Math.min(...segments.map((name) => Number.parseInt(name, 10))) - 1;
};

/** How far the reader came, and which frames it had begun to insert: they must be inserted again as the same batch. */
export interface Position {
  readonly done: number;
  readonly batch: readonly [from: number, to: number] | undefined;
}

/** Two slots written in turn, each with its checksum, so that a torn write leaves the other. */
export const openPosition = (path: string, fsync: boolean) => {
  const slotBytes = 40;
  const file = openSync(path, existsSync(path) ? "r+" : "w+");
  const readSlot = (slot: number): { version: bigint; position: Position } | undefined => {
    const bytes = Buffer.alloc(slotBytes);
    const got = readSync(file, bytes, 0, slotBytes, slot * slotBytes);
    if (got < slotBytes || crc32(bytes.subarray(0, 36)) !== bytes.readUInt32LE(36)) return undefined;
    const [version, done, from, to] = [0, 8, 16, 24].map((at) => bytes.readBigUInt64LE(at));
    if (version === undefined || version === 0n) return undefined;
    const batch = from === 0n ? undefined : ([Number(from), Number(to)] as const);
    return { version, position: { done: Number(done), batch } };
  };
  const slots = [readSlot(0), readSlot(1)].filter((slot) => slot !== undefined);
  const newest = slots.sort((a, b) => Number(b.version - a.version))[0];
  let version = newest?.version ?? 0n;
  let current: Position = newest?.position ?? { done: 0, batch: undefined };
  return {
    get current() {
      return current;
    },
    save: (position: Position): void => {
      const next = version + 1n; // counted only once it is written, so that a failed write never costs the good slot
      const bytes = Buffer.alloc(slotBytes);
      bytes.writeBigUInt64LE(next, 0);
      bytes.writeBigUInt64LE(BigInt(position.done), 8);
      bytes.writeBigUInt64LE(BigInt(position.batch?.[0] ?? 0), 16);
      bytes.writeBigUInt64LE(BigInt(position.batch?.[1] ?? 0), 24);
      bytes.writeUInt32LE(crc32(bytes.subarray(0, 36)), 36);
      writeSync(file, bytes, 0, slotBytes, Number(next % 2n) * slotBytes);
      if (fsync) fdatasyncSync(file);
      version = next;
      current = position;
    },
    close: (): void => closeSync(file),
  };
};
