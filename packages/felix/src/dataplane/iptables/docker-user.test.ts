import { fakeIptables } from '@overland/linux/testing';
import { expect, test } from 'vitest';
import { acceptInDockerUser, leaveDockerUser } from './docker-user.ts';

const FOREIGN = '-s 192.0.2.1/32 -j DROP';

test('accepts before what others have there, once, and takes it out again', async () => {
  const iptables = fakeIptables();
  await iptables.transact('ipv4', 'filter', [
    { type: 'flush-chain', chain: 'DOCKER-USER' },
    { type: 'append-rule', chain: 'DOCKER-USER', rule: FOREIGN },
  ]);
  const rules = async () => (await iptables.read('ipv4', 'filter')).get('DOCKER-USER');
  await acceptInDockerUser(iptables);
  await acceptInDockerUser(iptables);
  expect(await rules()).toEqual([
    expect.stringMatching(/^-o cali\+ .* -j ACCEPT$/),
    expect.stringMatching(/^-i cali\+ .* -j ACCEPT$/),
    FOREIGN,
  ]);
  await leaveDockerUser(iptables);
  expect(await rules()).toEqual([FOREIGN]);
});

test('makes nothing where Docker has not been', async () => {
  const iptables = fakeIptables();
  await acceptInDockerUser(iptables);
  expect((await iptables.read('ipv4', 'filter')).has('DOCKER-USER')).toBe(false);
});
