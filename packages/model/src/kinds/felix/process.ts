import { z } from 'zod';
import { duration, pattern } from '../../scalars.ts';
import { choice, count, expression, flag, host, interval, port, words } from './parameters.ts';

const LEVELS = ['Trace', 'Debug', 'Info', 'Warning', 'Error', 'Fatal'] as const;

/** The process itself: logs, health, metrics, memory, debugging. */
export const processParameters = {
  logFilePath: words('File of the log.', '/var/log/calico/felix.log'),
  logSeverityFile: choice(LEVELS, 'Least severity that goes into the file.', 'Info'),
  logSeverityScreen: choice(LEVELS, 'Least severity that goes to standard output.', 'Info'),
  logSeveritySys: choice(LEVELS, 'Least severity that goes to syslog.', 'Info'),
  logDebugFilenameRegex: expression('Debug messages only of source files that match.'),
  healthEnabled: flag('Whether health is served over HTTP.', false),
  healthHost: host('Where health is served.', 'localhost'),
  healthPort: port('Port of the health server.', 9099),
  healthTimeoutOverrides: () =>
    z
      .array(
        z.object({
          name: pattern('letters, digits, "_", "-" and spaces', /^[a-zA-Z0-9_ -]+$/).describe(
            'Name of the part.',
          ),
          timeout: duration.describe('How long it may be silent.'),
        }),
      )
      .optional()
      .describe('Other limits for how long a part may be silent before it counts as dead.'),
  prometheusMetricsEnabled: flag('Whether metrics are served.', false),
  prometheusMetricsHost: host('Where metrics are served; absent: everywhere.'),
  prometheusMetricsPort: port('Port of the metrics server.', 9091),
  prometheusGoMetricsEnabled: flag('Metrics of the Go runtime.', true),
  prometheusProcessMetricsEnabled: flag('Metrics of the process.', true),
  prometheusWireGuardMetricsEnabled: flag('Metrics of WireGuard.', true),
  prometheusMetricsCAFile: words('Certificates of who may read metrics over TLS.'),
  prometheusMetricsCertFile: words('Certificate of the metrics server.'),
  prometheusMetricsKeyFile: words('Key of the metrics server.'),
  prometheusMetricsClientAuth: choice(
    [
      'RequireAndVerifyClientCert',
      'RequireAnyClientCert',
      'VerifyClientCertIfGiven',
      'NoClientCert',
    ],
    'What is asked of who reads metrics over TLS.',
    'NoClientCert',
  ),
  reportingInterval: interval('How often the status of the process is written; 0 never.', '30s'),
  reportingTTL: interval('How long a written status is valid.', '90s'),
  endpointReportingEnabled: flag(
    'Whether the status of endpoints is written to the datastore.',
    false,
  ),
  endpointReportingDelay: interval('How long a status is held back for the next.', '1s'),
  endpointStatusPathPrefix: words(
    'Directory of the endpoint status files; empty for none.',
    '/var/run/calico',
  ),
  policySyncPathPrefix: words('Directory of the policy sync API; absent: off.'),
  usageReportingEnabled: flag('Whether usage is reported to the makers of Calico.', true),
  usageReportingInitialDelay: interval('Delay of the first usage report.', '300s'),
  usageReportingInterval: interval('Interval of usage reports.', '86400s'),
  dataplaneWatchdogTimeout: interval(
    'How long the dataplane may be silent before the process ends.',
    '90s',
  ),
  dataplaneDriver: words('Program of an external dataplane.', 'calico-iptables-plugin'),
  useInternalDataplaneDriver: flag('Whether the dataplane in the process is used.', true),
  featureDetectOverride: () =>
    pattern('NAME=true or NAME=false, by commas', /^(\w+=(true|false|),)*(\w+=(true|false|))?$/)
      .optional()
      .describe('What is taken for present or absent in the kernel.'),
  featureGates: () =>
    pattern('NAME=VALUE, by commas', /^(\w+=[^=,]+,)*(\w+=[^=,]+)?$/)
      .optional()
      .describe('Features that are tried out.'),
  goGCThreshold: count('Threshold of the garbage collector in percent; -1: off.', {
    min: -1,
    preset: 40,
  }),
  goMaxProcs: count('Threads that run Go code; -1: as many as cores.', { min: -1, preset: -1 }),
  goMemoryLimitMB: count('Soft limit of memory in MiB; -1: none.', { min: -1, preset: -1 }),
  debugDisableLogDropping: flag('Never drop log messages, however many.', false),
  debugHost: host('Where profiles are served.', 'localhost'),
  debugPort: port('Port of profiles; absent or 0: none.'),
  debugMemoryProfilePath: words('File of memory profiles.'),
  debugSimulateCalcGraphHangAfter: interval('For tests of the watchdog.', '0s'),
  debugSimulateDataplaneApplyDelay: interval('For tests of slow dataplanes.', '0s'),
  debugSimulateDataplaneHangAfter: interval('For tests of the watchdog.', '0s'),
  openstackRegion: words('Region of OpenStack: a DNS label.'),
  metadataAddr: words('Address of the metadata server of OpenStack; none for none.', '127.0.0.1'),
  metadataPort: port('Port of the metadata server.', 8775),
};
