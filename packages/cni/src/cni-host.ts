import type { AnyResource } from '@overland/model';
import type { IpAddress } from '@overland/net';
import type { AttachedWorkload, AttachRequest, DetachRequest } from '@overland/workloads';
import type { AddressWishes } from './attach-request.ts';

/** Whose addresses those are that `overland-ipam` gives to another plugin. */
export interface AddressHolder {
  readonly network: string;
  readonly containerId: string;
  readonly ifname: string;
}

/** What a call can do to this host. What it cannot do now it refuses with an error that says why. */
export interface CniHost {
  /**
   * @param wishes For addresses of ours; absent: another IPAM gives them.
   * @throws {CniError} Code 50, if an ADD would fail.
   */
  status(wishes: AddressWishes | undefined): Promise<void>;
  /** @param profile Made first, if there is none of the name. */
  attach(request: AttachRequest, profile: AnyResource): Promise<AttachedWorkload>;
  /** What is not attached is no mistake. */
  detach(key: DetachRequest): Promise<void>;
  /** What is not as it was attached, in words. */
  check(key: DetachRequest): Promise<readonly string[]>;
  /** Everything that is attached, or about to be. */
  attachments(): readonly Attachment[];
  readonly addresses: {
    /** Asked again by the same holder, the same addresses again. */
    assign(holder: AddressHolder, wishes: AddressWishes): Promise<readonly IpAddress[]>;
    release(holder: AddressHolder): Promise<void>;
    heldBy(holder: AddressHolder): Promise<readonly IpAddress[]>;
    /** All that hold some of the network, of this host. */
    holders(network: string): Promise<readonly AddressHolder[]>;
  };
  /**
   * Runs another plugin with our standard input and environment, but for the command.
   *
   * @returns What it prints, parsed.
   * @throws {CniError} What it answers, or that it cannot be run.
   */
  runPlugin(run: PluginRun): Promise<unknown>;
}

export interface Attachment extends DetachRequest {
  /** Absent: it is no runtime's. */
  readonly network?: string;
}

export interface PluginRun {
  /** File name of the plugin. */
  readonly type: string;
  /** Directories to look in, in order. */
  readonly path: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
}
