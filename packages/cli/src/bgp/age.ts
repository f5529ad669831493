const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;

/** A duration as FRR writes it: `01:02:03`, `3d04h`, `2w1d`; `never` for `null`. */
export function formatAge(seconds: number | null): string {
  if (seconds === null) return 'never';
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  if (seconds < DAY) {
    return [seconds / HOUR, (seconds % HOUR) / MINUTE, seconds % MINUTE].map(two).join(':');
  }
  if (seconds < WEEK) return `${Math.floor(seconds / DAY)}d${two((seconds % DAY) / HOUR)}h`;
  return `${Math.floor(seconds / WEEK)}w${Math.floor((seconds % WEEK) / DAY)}d`;
}
