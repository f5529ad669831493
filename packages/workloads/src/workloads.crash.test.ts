import { UnavailableError } from '@overland/datastore';
import { describe, expect, test, vi } from 'vitest';
import { type Gate, Host, NOTHING, type Process, request } from '../test/host.ts';

vi.setConfig({ testTimeout: 120_000 }); // all computing: how long depends on the machine alone

/** The world does one thing to the call of this number, and nothing to the others. */
type Fate = 'die-before' | 'die-after' | 'fail' | 'fail-after' | 'unavailable';

interface Doomed {
  readonly gate: Gate;
  /** Resolves when the process has died. */
  readonly died: Promise<void>;
  /** The calls made so far. */
  readonly calls: string[];
}

function doom(at: number, fate: Fate): Doomed {
  const { promise: died, resolve } = Promise.withResolvers<void>();
  const calls: string[] = [];
  let isDead = false;
  const never = new Promise<never>(() => undefined);
  const gate: Gate = async (call, perform) => {
    if (isDead) return never;
    if (call === 'journal.list') return perform(); // at the start, before there is anything to break
    calls.push(call);
    if (calls.length !== at) return perform();
    if (fate === 'fail') throw new Error(`${call} failed`);
    if (fate === 'unavailable') throw new UnavailableError(`${call} got no answer`);
    if (fate === 'die-after' || fate === 'fail-after') await perform().catch(() => undefined);
    if (fate === 'fail-after') throw new Error(`${call} failed afterwards`);
    isDead = true;
    resolve();
    return never;
  };
  return { gate, died, calls };
}

type Act = (process: Process, host: Host) => Promise<unknown>;
const attach: Act = ({ workloads }) => workloads.attach(request());
const detach: Act = ({ workloads }) =>
  workloads.detach({ containerId: 'c0ffee', interface: 'eth0' });
const attachForeign: Act = ({ workloads }) =>
  workloads.attach(request({ foreignAddresses: ['10.99.0.5'], network: 'fabric' }));
/** As when the container's namespace is made anew under the same name. */
const loseLink: Act = async ({ workloads }, { kernel }) => {
  for (const { hostInterface } of workloads.list()) await kernel.links.remove(hostInterface);
};

/** How many calls to the outside an act makes when nothing goes wrong. */
async function countCalls(before: Act[], act: Act): Promise<number> {
  await using host = await Host.create();
  for (const prepare of before) await prepare(await host.start(), host);
  const { gate, calls } = doom(0, 'fail');
  await act(await host.start(gate), host);
  return calls.length;
}

describe.each([
  ['attach', [] as Act[], attach],
  ['detach', [attach], detach],
  ['attach with addresses of another IPAM', [] as Act[], attachForeign],
  ['attach of what is attached, after its link was lost', [attach, loseLink], attach],
])('%s', (name, before, act) => {
  test('killed before or after any call: recovery and detach leave nothing', async () => {
    const total = await countCalls(before, act);
    expect(total).toBeGreaterThan(5);
    for (let at = 1; at <= total; at++) {
      for (const fate of ['die-before', 'die-after'] as const) {
        await using host = await Host.create();
        for (const prepare of before) await prepare(await host.start(), host);
        const { gate, died, calls } = doom(at, fate);
        const process = await host.start(gate);
        void act(process, host).catch(() => undefined);
        await died;

        const next = await host.start();
        const { pending } = await next.workloads.recover();
        const where = `${name}: ${fate} call ${at}, ${calls.at(-1)}`;
        expect({ where, pending }).toEqual({ where, pending: 0 });
        // Either it is attached as a whole, or there is nothing.
        const attached = next.workloads.list().length;
        const after = await host.remains();
        const handles = act === attachForeign ? 0 : 1;
        const whole = { links: 1, inContainers: 1, journal: 1, endpoints: 1, handles };
        const counts = {
          links: after.links.length,
          inContainers: after.inContainers.length,
          journal: after.journal.length,
          endpoints: after.endpoints.length,
          handles: after.handles.length,
        };
        if (attached > 0) expect({ where, ...counts }).toEqual({ where, ...whole });
        else expect({ where, ...after }).toEqual({ where, ...NOTHING });

        expect(await detach(next, host)).toEqual({ released: true });
        expect({ where, ...(await host.remains()) }).toEqual({ where, ...NOTHING });
      }
    }
  });

  test('any call fails: detach leaves nothing, at the latest when it is tried again', async () => {
    const total = await countCalls(before, act);
    for (let at = 1; at <= total; at++) {
      for (const fate of ['fail', 'fail-after', 'unavailable'] as const) {
        await using host = await Host.create();
        for (const prepare of before) await prepare(await host.start(), host);
        const { gate, calls } = doom(at, fate);
        const process = await host.start(gate);
        const outcome = await act(process, host).then(
          () => 'done',
          () => 'failed',
        );
        const where = `${name}: ${fate} call ${at}, ${calls[at - 1]}`;
        if (act !== detach && outcome === 'failed') {
          // What failed is undone by itself.
          expect(await process.workloads.settlePending()).toBe(0);
          if (before.length === 0) {
            expect({ where, ...(await host.remains()) }).toEqual({ where, ...NOTHING });
          }
        }
        expect(await detach(process, host)).toEqual({ released: true });
        expect(await process.workloads.settlePending()).toBe(0);
        expect({ where, ...(await host.remains()) }).toEqual({ where, ...NOTHING });
      }
    }
  });
});
