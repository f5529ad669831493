/** What the speaker is held to in a row. */
export interface Bar {
  /** In words: `0.35 × BIRD's time`. */
  readonly says: string;
  readonly figure: string;
  /** @param of A figure of a router in the same row. @returns The most allowed; `undefined` if it was not measured. */
  readonly most: (of: (router: string, figure: string) => number | undefined) => number | undefined;
}

/** So many times what another router needs, and so much more. */
function beside(
  router: string,
  figure: string,
  { times = 1, plus = 0 }: { readonly times?: number; readonly plus?: number },
): Bar {
  const factor = times === 1 ? '' : `${times} × `;
  const more = plus === 0 ? '' : ` + ${plus}`;
  return {
    says: `${figure} ≤ ${factor}${router}${more}`,
    figure,
    most: (of) => {
      const theirs = of(router, figure);
      return theirs === undefined ? undefined : theirs * times + plus;
    },
  };
}

function atMost(figure: string, most: number): Bar {
  return { says: `${figure} ≤ ${most}`, figure, most: () => most };
}

/** Of figures of the same program. */
function besideOwn(figure: string, other: string, times: number): Bar {
  return {
    says: `${figure} ≤ ${times} × ${other}`,
    figure,
    most: (of) => {
      const own = of('overland', other);
      return own === undefined ? undefined : own * times;
    },
  };
}

/** Of every row, where the thread is watched: no task of the speaker's is longer. */
export const TASK = atMost('longestTaskMs', 10);
const TABLE = [
  beside('bird', 'ms', { times: 0.35 }),
  beside('bird', 'peakMb', { plus: 60 }),
] as const;
const SETTLED = [
  beside('bird', 'ms', { times: 0.5 }),
  beside('bird', 'peakMb', { times: 1.2 }),
] as const;
const LOSS = [beside('bird', 'ms', { times: 0.6 })] as const;

/** By row. */
export const BARS: Readonly<Record<string, readonly Bar[]>> = {
  'a ipv4': TABLE,
  'a ipv6': TABLE,
  'b first full ipv4': [beside('bird', 'ms', { times: 0.5 })],
  'b first full ipv6': [beside('bird', 'ms', { times: 0.5 })],
  'b settled ipv4': SETTLED,
  'b settled ipv6': SETTLED,
  c: [beside('bird', 'ms', { times: 0.35 }), beside('frr', 'cpuMs', {}), atMost('peakMb', 200)],
  'd withdraw ipv4': LOSS,
  'd session lost ipv4': LOSS,
  e: [beside('bird', 'p90Ms', {}), beside('bird', 'p99Ms', { times: 1.5 }), atMost('p99Ms', 4)],
  f: [beside('bird', 'p50Ms', { times: 1.5 })],
  g: [besideOwn('ms', 'bareMs', 1.3)],
  h: [atMost('ms', 5), atMost('changes', 10)],
};
