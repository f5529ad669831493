/**
 * The end (excluded) of the keys with a prefix: the prefix with its last character raised. Keys are ASCII; an empty
 * prefix means all keys, which etcd writes as a zero octet.
 */
export function rangeEnd(prefix: string): string {
  if (prefix === '') return '\0';
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

/** The first key of a range that starts at a prefix. etcd has no empty key. */
export function rangeStart(prefix: string): string {
  return prefix === '' ? '\0' : prefix;
}
