import { setTimeout as pause } from 'node:timers/promises';
import { findWorkloads, nodeEndpoints, observeLab, pingAll } from '@overland/lab';
import { command, OUTPUT_OPTION, UsageError } from '../command.ts';
import { chooseLab, NAME_OPTION, requireRoot } from '../lab/choose-lab.ts';
import { reportingLabErrors } from '../lab/lab-errors.ts';
import { PingTally, pingMatrix } from '../lab/print-pings.ts';

const CLEAR_SCREEN = '\u001B[H\u001B[2J';
const ROUND_MS = 1000;

/** `lab ping [--continuous]` - every container to every other, both families; exit code 1 if an echo was lost. */
export const labPing = command({
  name: 'lab ping',
  summary: 'Ping between all containers of a lab',
  description:
    'Between the loopbacks of all nodes, if the lab has no containers. Nodes of one AS, such as spines, do not reach each other unless their configuration allows their own AS in a path.',
  options: {
    continuous: { type: 'boolean', short: 'c', summary: 'a round a second until Ctrl-C' },
    nodes: { type: 'boolean', summary: 'between the loopbacks of the nodes' },
    wait: {
      type: 'number',
      value: 'seconds',
      minimum: 1,
      maximum: 60,
      default: 1,
      summary: 'how long to wait for an echo',
    },
    name: NAME_OPTION,
    output: OUTPUT_OPTION,
  },
  examples: [
    ['overland lab ping', 'once, as a matrix'],
    ['overland lab ping --continuous', 'while you break something in another terminal'],
  ],
  handle: (context, { continuous, nodes, wait, name, output }) =>
    reportingLabErrors(async () => {
      requireRoot(context, 'lab ping');
      const { stdout, colours, signal } = context;
      const state = await observeLab(await chooseLab(name));
      const workloads = nodes ? [] : await findWorkloads(state);
      const endpoints = workloads.length > 0 ? workloads : nodeEndpoints(state);
      if (endpoints.length < 2)
        throw new UsageError('there are no two containers or nodes to ping');
      const tally = new PingTally();
      for (let round = 1; ; round++) {
        const started = performance.now();
        const results = await pingAll(endpoints, wait);
        tally.add(results);
        if (output === 'json') {
          const rows = results.map(({ from, to, family, roundTripMs }) => ({
            from: `${from.node}/${from.name}`,
            to: `${to.node}/${to.name}`,
            family,
            roundTripMs: roundTripMs ?? null,
          }));
          stdout.write(`${JSON.stringify(rows)}\n`);
        } else {
          if (continuous && context.isInteractive) stdout.write(CLEAR_SCREEN);
          const prefix = continuous ? `round ${round}: ` : '';
          stdout.write(`${pingMatrix(endpoints, tally, colours)}\n${prefix}${tally.summary()}\n`);
        }
        if (!continuous || signal.aborted) break;
        const rest = Math.max(0, ROUND_MS - (performance.now() - started));
        await pause(rest, undefined, { signal }).catch(() => {}); // Ctrl-C ends the rounds.
        if (signal.aborted) break;
      }
      return tally.lost === 0 ? 0 : 1;
    }),
});
