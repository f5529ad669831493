import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Release } from '@overland/ipam';
import { isAddress, parseAddress } from '@overland/net';
import { type CommandContext, command, FailureError, UsageError } from '../command.ts';
import { CONNECTION_OPTIONS } from '../datastore/connection-options.ts';
import { type OpenClient, openClient } from '../datastore/open-client.ts';
import { type CheckReport, MAX_REPORT_OCTETS, parseReport } from '../ipam/check-report.ts';
import { TEXT_OUTPUT_OPTION } from '../ipam/output.ts';
import { reportedCluster } from '../ipam/reported-cluster.ts';
import { showProgress } from '../progress.ts';

const REPORT_EVERY = 100;

/** `ipam release --ip | --from-report` */
export const ipamRelease = command({
  name: 'ipam release',
  summary: 'Give back addresses that nobody uses',
  description:
    'From reports, only what all of them name is released, and only if it is still held as they say: take one, wait, take another, release from both. Handles that count what no block has go as well. The datastore must be locked (overland datastore lock), so that nobody is about to use what is released; --force does without.',
  options: {
    ip: { type: 'list', value: 'address', summary: 'an address; may be repeated' },
    fromReport: {
      type: 'list',
      value: 'file',
      summary: 'a report of ipam check; may be repeated: what is in all of them',
    },
    force: { type: 'boolean', summary: 'also while the datastore is not locked' },
    output: TEXT_OUTPUT_OPTION,
    ...CONNECTION_OPTIONS,
  },
  examples: [
    ['overland ipam release --ip 10.65.0.7', 'one address, whoever holds it'],
    [
      'overland ipam release --from-report a.json --from-report b.json',
      'what two reports, some time apart, both name',
    ],
  ],
  async handle(context, { config, ip, fromReport, force, output }) {
    if ((ip.length === 0) === (fromReport.length === 0)) {
      throw new UsageError('name addresses with --ip, or reports with --from-report');
    }
    const wrong = ip.find((each) => !isAddress(each));
    if (wrong !== undefined) throw new UsageError(`--ip: ${wrong} is no IP address`);
    const reports = await Promise.all(fromReport.map((file) => readReport(context, file)));
    await using open = await openClient(context, { config });
    if (reports.length > 0) await refuseUnfit(open, reports, fromReport, force);
    const releases =
      reports.length > 0
        ? commonTo(reports)
        : ip.map((address): Release => ({ address: parseAddress(address) }));
    const released = await releaseAll(context, open, releases, handlesOf(reports));
    const { stdout } = context;
    if (output === 'json') stdout.write(`${JSON.stringify(released)}\n`);
    else {
      for (const address of released.released) stdout.write(`Released ${address}\n`);
      for (const line of released.skipped) stdout.write(`Skipped: ${line}\n`);
      stdout.write(`${released.released.length} addresses released\n`);
    }
    return released.skipped.length === 0 ? 0 : 1;
  },
});

async function readReport(
  { workingDirectory }: CommandContext,
  file: string,
): Promise<CheckReport> {
  const path = resolve(workingDirectory, file);
  try {
    if ((await stat(path)).size > MAX_REPORT_OCTETS) throw new Error(`${file}: is too large`);
    return parseReport(await readFile(path, 'utf8'), file);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

async function refuseUnfit(
  open: OpenClient,
  reports: readonly CheckReport[],
  files: readonly string[],
  force: boolean,
): Promise<void> {
  const cluster = await reportedCluster(open);
  const foreign = reports.findIndex(({ clusterGUID }) => clusterGUID !== cluster.clusterGUID);
  if (foreign >= 0) throw new UsageError(`${files[foreign]} is of another cluster`);
  if (force) return;
  if (!cluster.datastoreLocked) {
    throw new FailureError(
      "the datastore is not locked, so what is released may be about to be used: 'overland datastore lock', make a report, release, 'overland datastore unlock'; or --force",
    );
  }
  const { clusterInformationRevision: revision } = cluster;
  if (!reports.some((each) => each.clusterInformationRevision === revision)) {
    throw new FailureError(
      'no report was made since the datastore was locked: make one now, and name it too; or --force',
    );
  }
}

/** What all reports say in the same words. */
function commonTo([first, ...others]: readonly CheckReport[]): Release[] {
  const releases: Release[] = [];
  for (const [text, reported] of Object.entries(first?.allocations ?? {})) {
    for (const { handle, sequence } of reported) {
      const isCommon = others.every(({ allocations }) =>
        allocations[text]?.some((each) => each.handle === handle && each.sequence === sequence),
      );
      if (!isCommon) continue;
      const address = parseAddress(text);
      releases.push({
        address,
        sequence: BigInt(sequence),
        ...(handle !== undefined && { handle }),
      });
    }
  }
  return releases;
}

function handlesOf([first, ...others]: readonly CheckReport[]): string[] {
  const leaked = first?.leakedHandles ?? [];
  return leaked.filter((handle) => others.every((each) => each.leakedHandles.includes(handle)));
}

async function releaseAll(
  context: CommandContext,
  open: OpenClient,
  releases: readonly Release[],
  handles: readonly string[],
): Promise<{ readonly released: string[]; readonly skipped: string[] }> {
  const { createIpamAdmin, StaleReleaseError } = await import('@overland/ipam');
  // Whoever releases while it is locked is the operator who locked it.
  const admin = createIpamAdmin({ datastore: open.underLock, now: () => new Date() });
  const released: string[] = [];
  const skipped: string[] = [];
  using progress = showProgress(context);
  for (const [i, release] of releases.entries()) {
    if (i % REPORT_EVERY === REPORT_EVERY - 1) progress.say(`${i + 1} of ${releases.length}`);
    try {
      const freed = await admin.releaseAddresses([release]);
      if (freed.length > 0) released.push(...freed);
      else skipped.push(`${release.address} is not in use`);
    } catch (error) {
      if (!(error instanceof StaleReleaseError)) throw error;
      skipped.push(error.message);
    }
  }
  for (const handle of handles) await admin.releaseHandle(handle);
  return { released, skipped };
}
