/**
 * The values in an array of another length, 0 behind them. The old array is no more, and neither is its memory, at once: a
 * full table's arrays would otherwise wait for garbage collections, and cause them.
 */
export function grown(values: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  return new Int32Array(values.buffer.transfer(4 * length));
}
