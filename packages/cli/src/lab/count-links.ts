/** `1 link`, `2 links`. */
export function countLinks(count: number): string {
  return count === 1 ? '1 link' : `${count} links`;
}
