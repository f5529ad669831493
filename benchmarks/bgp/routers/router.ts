import type { TestNamespace } from '@overland/linux/testing';
import type { Family, IpAddress } from '@overland/net';
import type { Watch } from '../watch.ts';

/** What a router is to be, in the words of no router in particular. */
export interface RouterSetup {
  readonly family: Family;
  readonly asn: number;
  readonly address: IpAddress;
  readonly peers: readonly RouterPeer[];
  readonly holdSeconds: number;
  /** Most next hops of a route in the kernel; absent: it leaves the kernel's routes alone. */
  readonly kernelPaths?: number;
}

export interface RouterPeer {
  readonly address: IpAddress;
  readonly asn: number;
  /** RFC 4456. */
  readonly isClient: boolean;
}

/** Starts a router. It listens on port 179 and dials nobody. */
export type StartRouter = (namespace: TestNamespace, setup: RouterSetup) => Promise<RunningRouter>;

export interface Router {
  /**
   * Both sides of every session have this hold time, and a third of it between KEEPALIVEs. What our speaker is held to is too
   * short for others: they lose sessions while they are busy.
   */
  readonly holdSeconds: number;
  /** Whether it knows `kernelPaths`. */
  readonly writesKernel: boolean;
  readonly start: StartRouter;
}

export interface RunningRouter extends AsyncDisposable {
  /** Of its thread, from within; absent: it is not watched. */
  readonly watch?: Watch;
}

export const ROUTER_ID = '10.254.0.1';
