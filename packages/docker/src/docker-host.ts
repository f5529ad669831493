import type { AnyResource } from '@overland/model';
import type { Family, IpAddress, Prefix } from '@overland/net';
import type { AttachedWorkload, AttachRequest, DetachRequest } from '@overland/workloads';
import type { RecordFiles } from './record-files.ts';
import type { DockerEndpoint, DockerNetwork } from './records.ts';

/** An IPPool. */
export interface Pool {
  readonly name: string;
  readonly cidr: Prefix;
}

/** Which address Docker wants. */
export interface AddressWish {
  readonly family: Family;
  /** CIDR or name of the only pool to use. */
  readonly pool?: string;
  /** This one. */
  readonly address?: IpAddress;
}

/** What a call of Docker's can do to this host. What it cannot do now it refuses with an error that says why. */
export interface DockerHost {
  readonly networks: Pick<RecordFiles<DockerNetwork>, 'get' | 'write' | 'remove'>;
  readonly endpoints: Pick<RecordFiles<DockerEndpoint>, 'get' | 'all' | 'write' | 'remove'>;
  /** Every pool of the cluster. */
  pools(): readonly Pool[];
  readonly addresses: {
    /** One that Docker holds already, asked for again, is given again: a restarted daemon does so. */
    assign(wish: AddressWish): Promise<IpAddress>;
    isHeld(address: IpAddress): boolean;
    /** What is not held is no mistake. Lasting: it happens later if the datastore does not answer. */
    release(address: IpAddress): Promise<void>;
  };
  /** Name that Docker has for a network. */
  networkName(id: string): Promise<string>;
  /** Whether Docker can be asked for the labels of containers. */
  readonly asksForLabels: boolean;
  /** @param profile Made first, if there is none of the name. */
  attach(request: AttachRequest, profile: AnyResource): Promise<AttachedWorkload>;
  /** What is not attached is no mistake. */
  detach(key: DetachRequest): Promise<void>;
  /** Has the endpoint identified as soon as Docker tells whose it is. */
  identifySoon(endpointId: string): void;
}
