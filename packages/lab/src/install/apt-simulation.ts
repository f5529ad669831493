/** What `apt-get --simulate install` says it would do. */
export interface AptPlan {
  readonly installs: readonly string[];
  readonly removes: readonly string[];
}

/** Reads the `Inst` and `Remv` lines of a simulation; `Conf` lines repeat the former. */
export function parseAptSimulation(output: string): AptPlan {
  const named = (verb: string): string[] =>
    output.split('\n').flatMap((line) => {
      const [first, name] = line.split(' ');
      return first === verb && name !== undefined ? [name.replace(/:[a-z0-9]+$/, '')] : [];
    });
  return { installs: named('Inst'), removes: [...named('Remv'), ...named('Purg')] };
}
