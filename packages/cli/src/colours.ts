import picocolors from 'picocolors';

/** Text styles; each returns its argument unchanged where colours are off. */
export interface Colours {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
}

/**
 * Colours for one output stream: only on a terminal, never with `NO_COLOR` (no-color.org) or `TERM=dumb`,
 * always with `FORCE_COLOR`.
 */
export function coloursFor(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
): Colours {
  const forced = Boolean(env.FORCE_COLOR);
  const wanted = stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
  return picocolors.createColors(forced || wanted);
}
