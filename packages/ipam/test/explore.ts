import type { Fate, SimulatedProcess } from './simulation.ts';

/** One step of a schedule: which process goes on, and how its call ends. */
interface Choice {
  readonly process: number;
  readonly fate: Fate;
}

/** A world that one run changes: made anew for each. */
export interface World {
  /** Grows when a process is restarted. */
  readonly processes: readonly SimulatedProcess[];
  /** Called after each step; restarts processes that died. */
  afterStep(): Promise<void>;
  /** What is wrong, once every process has ended. */
  violations(): Promise<readonly string[]>;
}

export interface Limits {
  /** Switches to another process while the current one could go on. */
  readonly preemptions: number;
  /** Deaths and lost answers. */
  readonly faults: number;
  /** Not all schedules within the limits, but so many, picked by this seed; default: all. */
  readonly sample?: { readonly schedules: number; readonly seed: number };
}

export interface Exploration {
  readonly schedules: number;
  readonly steps: number;
  /** Schedules that were seen to be possible and not run: there are at least so many more. */
  readonly left: number;
  /** Of the first schedule that ended badly, with its steps. */
  readonly violation: string | undefined;
}

const FAULTS = ['die-before', 'die-after', 'lose-answer', 'lose-request'] as const;

/**
 * Runs every schedule within the limits (depth first), or a sample of them, each in a world of its own, and stops at the
 * first that ends badly. Runs are repeated from the start along a prefix of choices, so worlds need not be copied.
 */
export async function explore(
  makeWorld: () => Promise<World>,
  limits: Limits,
): Promise<Exploration> {
  const open: Choice[][] = [[]];
  let schedules = 0;
  let steps = 0;
  const { sample } = limits;
  const random = randomFrom(sample?.seed ?? 0);
  while (open.length > 0 && schedules < (sample?.schedules ?? Number.POSITIVE_INFINITY)) {
    const [prefix = []] = open.splice(sample ? random(open.length) : open.length - 1, 1);
    const world = await makeWorld();
    const { taken, alternatives } = await runOnce(world, prefix, limits);
    schedules++;
    steps += taken.length;
    const violations = await world.violations();
    if (violations.length > 0) {
      const trace = taken.map(({ process, fate }) => `${world.processes[process]?.name}:${fate}`);
      return {
        schedules,
        steps,
        left: open.length,
        violation: `${violations.join('; ')} after ${trace.join(' ')}`,
      };
    }
    open.push(...alternatives);
  }
  return { schedules, steps, left: open.length, violation: undefined };
}

/** Numbers below a bound: the same for the same seed (mulberry32). */
function randomFrom(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}

async function runOnce(
  world: World,
  prefix: readonly Choice[],
  limits: Limits,
): Promise<{ readonly taken: readonly Choice[]; readonly alternatives: Choice[][] }> {
  const taken: Choice[] = [];
  const alternatives: Choice[][] = [];
  let left: Limits = limits;
  for (;;) {
    await settle();
    await world.afterStep();
    await settle();
    const ready = [...world.processes.keys()].filter((i) => world.processes[i]?.isReady);
    const current = taken.at(-1)?.process;
    const [next] = current !== undefined && ready.includes(current) ? [current] : ready;
    if (next === undefined) return { taken, alternatives };
    const usual: Choice = { process: next, fate: 'run' };
    const choice = prefix[taken.length] ?? usual;
    if (taken.length >= prefix.length) {
      for (const process of ready) {
        for (const fate of ['run', ...FAULTS] as const) {
          const other = { process, fate };
          if ((process === next && fate === 'run') || !affordable(other, usual, left)) continue;
          alternatives.push([...taken, other]);
        }
      }
    }
    left = spend(choice, usual, left);
    taken.push(choice);
    await world.processes[choice.process]?.advance(choice.fate);
  }
}

function spend({ process, fate }: Choice, usual: Choice, limits: Limits): Limits {
  return {
    preemptions: limits.preemptions - Number(process !== usual.process),
    faults: limits.faults - Number(fate !== 'run'),
  };
}

function affordable(choice: Choice, usual: Choice, limits: Limits): boolean {
  const { preemptions, faults } = spend(choice, usual, limits);
  return preemptions >= 0 && faults >= 0;
}

/** Lets every process run until it waits for the datastore or has ended. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
