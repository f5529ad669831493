import type { Finding, Survey } from '@overland/ipam';
import { isJsonObject, type JsonValue, parseJson } from '@overland/model';

/** Form of the report; one of another form is not acted on. */
const REPORT_VERSION = 'overland/1';

/** Reports are as large as the cluster, and no larger. */
export const MAX_REPORT_OCTETS = 256 * 1024 * 1024;

/** One address that a report says nobody uses. */
interface ReportedAddress {
  readonly handle?: string;
  /** Of the allocation, decimal digits. */
  readonly sequence: string;
  readonly node?: string;
}

/** What `ipam check -o` writes and `ipam release --from-report` reads. */
export interface CheckReport {
  readonly version: string;
  readonly clusterGUID: string;
  readonly clusterType: string;
  readonly datastoreLocked: boolean;
  readonly clusterInformationRevision: string;
  /** Of the datastore when it was read. */
  readonly revision: string;
  /** Addresses that are given and not used. */
  readonly allocations: Readonly<Record<string, readonly ReportedAddress[]>>;
  /** Handles that count what no block has. */
  readonly leakedHandles: readonly string[];
  /** Everything that is not as it should be, in words. */
  readonly problems: readonly string[];
}

/** The cluster, as a report names it. */
export type ReportedCluster = Pick<
  CheckReport,
  'clusterGUID' | 'clusterType' | 'datastoreLocked' | 'clusterInformationRevision'
>;

export function checkReport(
  cluster: ReportedCluster,
  survey: Survey,
  findings: readonly Finding[],
  describe: (finding: Finding) => string,
): CheckReport {
  const allocations: Record<string, ReportedAddress[]> = {};
  const leakedHandles: string[] = [];
  for (const finding of findings) {
    if (finding.type === 'leaked-handle') leakedHandles.push(finding.handle);
    if (finding.type !== 'leaked-address' && finding.type !== 'not-in-use') continue;
    const { address, handle, sequence, node } = finding;
    const reported = {
      ...(handle !== undefined && { handle }),
      sequence: String(sequence),
      ...(node !== undefined && { node }),
    };
    allocations[address] = [...(allocations[address] ?? []), reported];
  }
  return {
    version: REPORT_VERSION,
    ...cluster,
    revision: survey.revision,
    allocations,
    leakedHandles,
    problems: findings.map(describe),
  };
}

/**
 * Reads a report.
 *
 * @param origin The file, for messages.
 * @throws {Error} If it is none.
 */
export function parseReport(text: string, origin: string): CheckReport {
  const report = objectOf(text);
  const fault = (what: string): Error => new Error(`${origin}: ${what}`);
  if (!report || typeof report.version !== 'string') throw fault('is no report of ipam check');
  if (report.version !== REPORT_VERSION) {
    throw fault(`is a report of version ${report.version}; this program reads ${REPORT_VERSION}`);
  }
  const { allocations, clusterGUID } = report;
  if (!isJsonObject(allocations) || typeof clusterGUID !== 'string') {
    throw fault('has no allocations or no clusterGUID');
  }
  for (const [address, reported] of Object.entries(allocations)) {
    const isRight = Array.isArray(reported) && reported.every(isReportedAddress);
    if (!isRight) throw fault(`allocations.${address} is not a list of addresses`);
  }
  return report as unknown as CheckReport;
}

function isReportedAddress(value: unknown): boolean {
  if (!isJsonObject(value)) return false;
  const { sequence, handle } = value;
  const isNamed = handle === undefined || typeof handle === 'string';
  return typeof sequence === 'string' && /^\d{1,19}$/.test(sequence) && isNamed;
}

function objectOf(text: string): Readonly<Record<string, JsonValue>> | undefined {
  try {
    const value = parseJson(text);
    return isJsonObject(value) ? (value as Readonly<Record<string, JsonValue>>) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
