import type { TestNamespace } from '@overland/linux/testing';
import { parseAddress } from '@overland/net';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { explainFlow } from '../src/calc/policy/explain-flow.ts';
import { findPlace } from '../src/calc/policy/find-place.ts';
import type { PolicyInputs } from '../src/calc/policy/policy-inputs.ts';
import { PolicyView } from '../src/calc/policy/policy-view.ts';
import type { PolicyState } from '../src/calc/policy-state.ts';
import { policyStateOf } from '../src/calc/policy-state-of.ts';
import {
  address,
  HOST,
  hostAddress,
  isOutside,
  linkTo,
  PLACES,
  type Place,
  policyNetwork,
  type Sent,
} from './policy-network.ts';
import { cluster, NODE, packet } from './random-policies.ts';

/** Two runs in soak: an identification of IPv4 has 16 bits, and each packet has one of its own. */
const [RULESETS, SEEDS] = process.env.OVERLAND_SOAK ? [1_500, [6, 7]] : [40, [6]];
const PACKETS = 40;
const TIMEOUT_MS = 60_000 + RULESETS * 1_000;

function expected(view: PolicyView, inputs: PolicyInputs, sent: Sent): boolean {
  const { from, to, version, protocol, port, type } = sent;
  const find = (place: Place) =>
    findPlace(parseAddress(address(place, version)), view.endpoints, inputs.nodes);
  const isIcmp = protocol === 1 || protocol === 58;
  const kind = isIcmp
    ? { protocol, icmpType: type, icmpCode: 0 }
    : { protocol, destinationPort: port, sourcePort: sent.id & 0xffff };
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const outside = [from, to].find(isOutside);
  const interfaceName = outside === undefined ? undefined : linkTo(outside);
  const ends = { from: find(from), to: find(to) };
  return explainFlow({ ...ends, kind, family, interfaceName }, view).action === 'allow';
}

/** What is made at random. */
interface Scenario {
  readonly cluster: fc.Arbitrary<PolicyInputs>;
  readonly packet: typeof packet;
}

/**
 * Random policies are put into a kernel, and random packets sent through it.
 *
 * @param program Makes the packet filter enforce a state, and nothing else. It returns what tells a person what it wrote.
 */
export function describeKernelAgreement(
  name: string,
  program: (router: TestNamespace, state: PolicyState) => Promise<string>,
  scenario: Scenario = { cluster, packet },
): void {
  const claim = `what the explainer says of random policies and packets is what ${name} does, seed %i`;
  test.each(SEEDS)(claim, { timeout: TIMEOUT_MS }, async (seed) => {
    await using net = await policyNetwork();
    // Neighbours are known before the first packet that counts.
    for (const place of PLACES.filter((one) => one !== HOST)) {
      for (const version of [4, 6] as const) {
        const to = hostAddress(place, version);
        await net.host(place).ns.exec(['ping', '-q', '-c', '1', '-W', '2', to]);
        await net.router.exec(['ping', '-q', '-c', '1', '-W', '2', address(place, version)]);
      }
    }
    let id = 1000;
    const counts = { allowed: 0, denied: 0 };
    for (const [i, inputs] of fc.sample(scenario.cluster, { numRuns: RULESETS, seed }).entries()) {
      const view = new PolicyView(inputs);
      const ruleset = await program(net.router, policyStateOf(view, NODE));
      const packets = fc
        .sample(scenario.packet, { numRuns: PACKETS, seed: seed * RULESETS + i })
        .map(({ kind: [name, port], ...rest }): Sent => {
          id += 1;
          // Timestamps, and queries for a node's information: what conntrack knows besides echoes.
          const types = rest.version === 4 ? { echo: 8, other: 13 } : { echo: 128, other: 139 };
          const icmp = {
            protocol: rest.version === 4 ? 1 : 58,
            type: name === 'echo' ? types.echo : types.other,
          };
          const transport =
            name === 'TCP'
              ? { protocol: 6, type: 0 }
              : name === 'UDP'
                ? { protocol: 17, type: 0 }
                : icmp;
          return { ...rest, id, port: Number(port), ...transport };
        });
      for (const place of PLACES)
        await net.host(place).send(packets.filter(({ from }) => from === place));
      const allowed = new Map(packets.map((sent) => [sent.id, expected(view, inputs, sent)]));
      for (const place of PLACES) {
        const here = packets.filter(({ to }) => to === place);
        await vi.waitFor(
          async () => {
            const arrived = await net.host(place).arrived();
            for (const sent of here) {
              const text = `${JSON.stringify(sent)}\n${ruleset}`;
              expect(arrived.has(sent.id), text).toBe(allowed.get(sent.id));
            }
          },
          { timeout: 3000, interval: 20 },
        );
      }
      for (const isAllowed of allowed.values()) counts[isAllowed ? 'allowed' : 'denied'] += 1;
    }
    console.log(`agreed on ${counts.allowed} packets let through and ${counts.denied} dropped`);
    expect(Math.min(counts.allowed, counts.denied)).toBeGreaterThan((RULESETS * PACKETS) / 20);
  });
}
