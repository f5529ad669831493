import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { netns } from '@overland/linux/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { clusterWithHost, NODE } from '../../../test/random-policies.ts';
import { PolicyView } from '../policy/policy-view.ts';
import { policyStateOf } from '../policy-state-of.ts';
import { iptablesText } from './ruleset-text.ts';

test.each(['legacy', 'nft'])('what is printed can be restored by iptables-%s', async (variant) => {
  await using ns = await netns();
  const directory = await mkdtemp(join(tmpdir(), 'iptables-'));
  for (const inputs of fc.sample(clusterWithHost, { numRuns: 5, seed: 3 })) {
    const { sets, tables } = iptablesText(policyStateOf(new PolicyView(inputs), NODE));
    await ns.exec([`iptables-${variant}`, '-F']);
    await ns.exec([`ip6tables-${variant}`, '-F']);
    const files = [
      ['ipset restore', sets],
      [`iptables-${variant}-restore`, tables[4]],
      [`ip6tables-${variant}-restore`, tables[6]],
    ] as const;
    for (const [program, text] of files) {
      const file = join(directory, 'file');
      await writeFile(file, text.replaceAll(/^create .*/gm, '$& -exist'));
      await ns.exec(['sh', '-c', `${program} < ${file}`]);
    }
    expect(await ns.exec([`iptables-${variant}-save`])).toContain('-A FORWARD -j cali-FORWARD');
  }
  await rm(directory, { recursive: true });
});
