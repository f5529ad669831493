import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UnavailableError } from '@overland/datastore';
import { type AddressLease, RecordFiles } from '@overland/docker';
import type { Allocation, Assignment, AssignRequest } from '@overland/ipam';
import { type IpAddress, parseAddress } from '@overland/net';
import pino from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DockerLeases } from './docker-leases.ts';

const CHOSEN = parseAddress('10.65.0.9');

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'docker-leases-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Addresses by handle, and a datastore that may be away. */
class FakeIpam {
  readonly held = new Map<string, IpAddress>();
  isAway = false;

  async assign({ handle, addresses }: AssignRequest): Promise<Assignment> {
    this.#reach();
    const address = addresses?.[0] ?? parseAddress(`10.65.0.${this.held.size + 1}`);
    this.held.set(handle, address);
    return { addresses: [address], blocks: [], routes: [] };
  }

  async release(handle: string): Promise<IpAddress[]> {
    this.#reach();
    const address = this.held.get(handle);
    this.held.delete(handle);
    return address === undefined ? [] : [address];
  }

  async allocationsByHandle(prefix: string): Promise<Allocation[]> {
    this.#reach();
    return [...this.held]
      .filter(([handle]) => handle.startsWith(prefix))
      .map(
        ([handle, address]) =>
          ({ handle, address, attributes: {}, ordinal: 0, sequence: 0n }) as Allocation,
      );
  }

  #reach(): void {
    if (this.isAway) throw new UnavailableError('away');
  }
}

/** As after a start of the agent. */
async function start(ipam: FakeIpam): Promise<DockerLeases> {
  const records = await RecordFiles.open<AddressLease>(directory);
  return new DockerLeases({ node: 'host11', ipam, records, log: pino({ level: 'silent' }) });
}

/** Runs what goes on in the background until there is nothing to do. */
async function settle(leases: DockerLeases, isDone: () => boolean): Promise<void> {
  const stop = new AbortController();
  const running = leases.run(stop.signal);
  await vi.waitUntil(isDone, { timeout: 10_000 });
  stop.abort();
  await running;
}

test('an address that is held is given again, also after a restart', async () => {
  const ipam = new FakeIpam();
  const wish = { family: 'ipv4', address: CHOSEN } as const;
  expect(await (await start(ipam)).assign(wish)).toMatchObject({ address: CHOSEN });
  const leases = await start(ipam);
  expect(leases.held()).toEqual([CHOSEN]);
  await leases.assign(wish);
  expect(ipam.held.size).toBe(1);
  await leases.release(CHOSEN);
  await leases.release(CHOSEN);
  expect(ipam.held.size).toBe(0);
  expect(leases.isHeld(CHOSEN)).toBe(false);
});

test('what was given back while the datastore was away is given back when it answers, by the next agent too', async () => {
  const ipam = new FakeIpam();
  const leases = await start(ipam);
  await leases.assign({ family: 'ipv4', address: CHOSEN });
  ipam.isAway = true;
  await leases.release(CHOSEN);
  expect(leases.isHeld(CHOSEN)).toBe(false);
  expect(ipam.held.size).toBe(1);
  ipam.isAway = false;
  await settle(await start(ipam), () => ipam.held.size === 0);
});

test('what was assigned and never written down is given back; what is of others stays', async () => {
  const ipam = new FakeIpam();
  ipam.held.set('overland.host11.+docker+lost', CHOSEN);
  ipam.held.set('overland.host11.c0ffee.eth0', parseAddress('10.65.0.77'));
  await settle(await start(ipam), () => ipam.held.size === 1);
  expect([...ipam.held.keys()]).toEqual(['overland.host11.c0ffee.eth0']);
});

test('a file that cannot be read is no reason to forget, nor to serve nobody', async () => {
  const records = await RecordFiles.open<AddressLease>(directory);
  const unread = { version: 2 as 1, id: 'x', address: CHOSEN, handle: 'h', isReturned: false };
  await records.write(unread);
  const ipam = new FakeIpam();
  const lost = 'overland.host11.+docker+lost';
  ipam.held.set(lost, CHOSEN);
  const leases = await start(ipam);
  const { address } = await leases.assign({ family: 'ipv4' });
  ipam.isAway = true;
  await leases.release(address);
  ipam.isAway = false;
  await settle(leases, () => ipam.held.size === 1);
  expect([...ipam.held.keys()]).toEqual([lost]);
});
