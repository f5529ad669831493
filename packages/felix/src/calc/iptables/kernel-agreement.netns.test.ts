import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestNamespace } from '@overland/linux/testing';
import { describe } from 'vitest';
import { describeKernelAgreement } from '../../../test/kernel-agreement.ts';
import { iptablesText } from './ruleset-text.ts';

/** Restores files as an operator would; without `--noflush` nothing of the round before is left. */
async function restore(router: TestNamespace, files: readonly [program: string, text: string][]) {
  const directory = await mkdtemp(join(tmpdir(), 'iptables-'));
  for (const [program, text] of files) {
    const file = join(directory, 'file');
    await writeFile(file, text);
    await router.exec(['sh', '-c', `${program} < ${file}`]);
  }
  await rm(directory, { recursive: true });
}

describe.each(['legacy', 'nft'])('iptables-%s', (variant) => {
  describeKernelAgreement(`iptables-${variant}`, async (router, state) => {
    const { sets, tables } = iptablesText(state);
    const empty = '*filter\nCOMMIT\n';
    await restore(router, [
      [`iptables-${variant}-restore`, empty],
      [`ip6tables-${variant}-restore`, empty],
    ]);
    await router.exec(['ipset', 'destroy']);
    await restore(router, [
      ['ipset restore', sets],
      [`iptables-${variant}-restore`, tables[4]],
      [`ip6tables-${variant}-restore`, tables[6]],
    ]);
    return `${sets}${tables[4]}${tables[6]}`;
  });
});
