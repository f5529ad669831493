import { parseDuration } from '../duration.ts';

/** Whether a duration is of that many seconds. */
export function isWithin(duration: string, fewest: number, most: number): boolean {
  const seconds = parseDuration(duration) / 1000;
  return seconds >= fewest && seconds <= most;
}

export function isZeroOrWithin(duration: string, fewest: number, most: number): boolean {
  return parseDuration(duration) === 0 || isWithin(duration, fewest, most);
}
