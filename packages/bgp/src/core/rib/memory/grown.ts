/** From here on an array lies in memory of its own. Below, copying it takes less than a millisecond. */
const IN_PLACE_OCTETS = 1024 * 1024;
const PAGE_OCTETS = 65_536;
/** Of one array: 2 GB. That much of the address space is set aside for each, and no memory. */
const MOST_PAGES = 32_768;

/** Memory that grows where it is: the old buffer is detached, and the new one has its octets and more. */
interface GrowingMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** Of WebAssembly, which is in no library of types that the core has. */
declare const WebAssembly: {
  readonly Memory: new (size: {
    readonly initial: number;
    readonly maximum: number;
  }) => GrowingMemory;
};

/** Of arrays that have one. */
const memories = new WeakMap<ArrayBuffer, GrowingMemory>();
/** Where the address space is limited (RLIMIT_AS) there is none: arrays are copied then. */
let isAvailable = true;

/**
 * The values in an array of another length, 0 behind them. The old array is no more, and neither is its memory, at once: a
 * full table's arrays would otherwise wait for garbage collections, and cause them.
 *
 * A large array grows in place: copying a third of a full table takes 20 ms, and every page of the copy is new.
 */
export function grown(values: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  const octets = 4 * length;
  const memory = memories.get(values.buffer);
  if (memory) {
    if (length < values.length) values.fill(0, length);
    return enlarged(memory, octets) ?? copied(values, new Int32Array(length));
  }
  const room = octets >= IN_PLACE_OCTETS ? reserve(octets) : undefined;
  if (room) return copied(values, new Int32Array(room.buffer, 0, length));
  return new Int32Array(values.buffer.transfer(octets));
}

function reserve(octets: number): GrowingMemory | undefined {
  if (!isAvailable) return undefined;
  const initial = Math.ceil(octets / PAGE_OCTETS);
  try {
    const memory = new WebAssembly.Memory({ initial, maximum: MOST_PAGES });
    memories.set(memory.buffer, memory);
    return memory;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    isAvailable = false;
    return undefined;
  }
}

/** @returns `undefined` if there is no room. */
function enlarged(memory: GrowingMemory, octets: number): Int32Array<ArrayBuffer> | undefined {
  const pages = Math.ceil((octets - memory.buffer.byteLength) / PAGE_OCTETS);
  try {
    if (pages > 0) memory.grow(pages);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return undefined;
  }
  memories.set(memory.buffer, memory);
  return new Int32Array(memory.buffer, 0, octets / 4);
}

function copied(from: Int32Array<ArrayBuffer>, to: Int32Array<ArrayBuffer>) {
  to.set(from.length > to.length ? from.subarray(0, to.length) : from);
  // Memory of WebAssembly cannot be detached, and goes with its last array.
  if (!memories.has(from.buffer)) from.buffer.transfer(0);
  return to;
}
