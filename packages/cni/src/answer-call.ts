import { InvalidRequestError } from '@overland/workloads';
import type { CniCall, CniReply } from './cni-call.ts';
import { CNI_CODE, CniError } from './cni-error.ts';
import type { CniHost } from './cni-host.ts';
import { type Environment, parseEnvironment } from './environment.ts';
import { type CommandTable, INTERFACE_COMMANDS } from './interface-plugin.ts';
import { IPAM_COMMANDS } from './ipam-plugin.ts';
import { parseDocument } from './network-configuration.ts';
import { isAtLeast, LATEST_SPEC_VERSION, SPEC_VERSIONS, type SpecVersion } from './spec-version.ts';

/** Commands that came after the first version, and with which. */
const SINCE: Readonly<Record<Environment['command'], SpecVersion>> = {
  ADD: '0.1.0',
  DEL: '0.1.0',
  VERSION: '0.1.0',
  CHECK: '0.4.0',
  GC: '1.1.0',
  STATUS: '1.1.0',
};

/** Does what one run of the plugin is to do. Never rejects: what goes wrong is an error of CNI. */
export async function answerCall(call: CniCall, host: CniHost): Promise<CniReply> {
  if (call.env.CNI_COMMAND === 'VERSION') return version(call);
  let cniVersion = versionOf(call.stdin);
  try {
    const environment = parseEnvironment(call.env);
    const parsed = parseDocument(call.stdin);
    cniVersion = parsed.cniVersion;
    const { command } = environment;
    if (!isAtLeast(cniVersion, SINCE[command])) {
      throw new CniError(
        CNI_CODE.incompatibleVersion,
        `${command} came with ${SINCE[command]} of the specification, the configuration is of ${cniVersion}`,
      );
    }
    const commands: CommandTable = /-ipam$/.test(call.program) ? IPAM_COMMANDS : INTERFACE_COMMANDS;
    const context = { call, environment, cniVersion, document: parsed.document, host };
    const outcome = await commands[command as keyof CommandTable](context);
    return { exitCode: 0, stdout: outcome === undefined ? '' : `${JSON.stringify(outcome)}\n` };
  } catch (error) {
    const { code, message, details } = cniErrorOf(error);
    const body = { cniVersion, code, msg: message, ...(details !== undefined && { details }) };
    return { exitCode: 1, stdout: `${JSON.stringify(body)}\n` };
  }
}

function version({ stdin }: CniCall): CniReply {
  const cniVersion = versionOf(stdin);
  return {
    exitCode: 0,
    stdout: `${JSON.stringify({ cniVersion, supportedVersions: SPEC_VERSIONS })}\n`,
  };
}

/** Of a configuration, however little can be read of it. */
function versionOf(stdin: string): SpecVersion {
  try {
    return parseDocument(stdin).cniVersion;
  } catch {
    return LATEST_SPEC_VERSION;
  }
}

/** By name: some are thrown by what this package does not know. */
const CODES: Readonly<Record<string, number>> = {
  ValidationError: CNI_CODE.invalidConfiguration,
  ParseError: CNI_CODE.invalidConfiguration,
  AlreadyAttachedError: CNI_CODE.attachedOtherwise,
  AddressUnavailableError: CNI_CODE.noAddress,
  NoAddressError: CNI_CODE.noAddress,
  ContentionError: CNI_CODE.tryAgainLater,
  UnavailableError: CNI_CODE.tryAgainLater,
  LockedError: CNI_CODE.tryAgainLater,
  JournalError: CNI_CODE.tryAgainLater,
  AttachAbortedError: CNI_CODE.tryAgainLater,
};

function cniErrorOf(error: unknown): CniError {
  if (error instanceof CniError) return error;
  if (error instanceof InvalidRequestError) return invalidRequest(error);
  if (!(error instanceof Error)) return new CniError(CNI_CODE.internal, String(error));
  return new CniError(CODES[error.name] ?? CNI_CODE.internal, error.message, { cause: error });
}

function invalidRequest(error: InvalidRequestError): CniError {
  const [fault] = error.faults;
  const code = (): number => {
    if (fault?.field === 'interface' || fault?.field === 'containerId')
      return CNI_CODE.invalidEnvironment;
    if (fault?.field !== 'namespacePath') return CNI_CODE.invalidConfiguration;
    return fault.reason.includes("host's own") ? CNI_CODE.ownNamespace : CNI_CODE.unknownContainer;
  };
  return new CniError(code(), error.message, { cause: error });
}
