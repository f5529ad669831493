import {
  FaultTargetError,
  InstallError,
  LabBusyError,
  NameInUseError,
  NodeStartError,
  NoLabError,
  ProgramError,
  TopologyError,
  TopologyFileError,
  VariantError,
} from '@overland/lab';
import { FailureError, UsageError } from '../command.ts';

const REQUEST_IS_WRONG = [
  FaultTargetError,
  NameInUseError,
  NoLabError,
  TopologyError,
  TopologyFileError,
  VariantError,
];
const WORK_FAILED = [InstallError, LabBusyError, NodeStartError, ProgramError];

/** Runs work of a lab command and turns what it throws into what the CLI reports. */
export async function reportingLabErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const isBadInput = error instanceof NodeStartError && error.isBadInput;
    if (isBadInput || REQUEST_IS_WRONG.some((kind) => error instanceof kind)) {
      throw new UsageError(error.message, { cause: error });
    }
    if (error.name === 'AbortError') throw new FailureError('interrupted', { cause: error });
    if (WORK_FAILED.some((kind) => error instanceof kind)) {
      throw new FailureError(error.message, { cause: error });
    }
    throw error;
  }
}
