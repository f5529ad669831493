import {
  type AddressHolder,
  type AddressWishes,
  answerCall,
  CNI_CODE,
  type CniCall,
  CniError,
  type CniHost,
  type CniReply,
  runPlugin,
} from '@overland/cni';
import { type Datastore, UnavailableError } from '@overland/datastore';
import type { Ipam } from '@overland/ipam';
import { type AnyResource, workloadHandlePrefix } from '@overland/model';
import { type Family, type IpAddress, parseAddress } from '@overland/net';
import type { AttachedWorkload, AttachRequest } from '@overland/workloads';
import type { Logger } from 'pino';
import { type AddInFlight, AddsInFlight } from './adds-in-flight.ts';
import { attachmentOf, CniSpool } from './cni-spool.ts';
import { ExhaustedPools } from './exhausted-pools.ts';
import { ProfileKeeper } from './profile-keeper.ts';
import type { WorkloadService } from './workload-service.ts';

export interface CniServiceOptions {
  readonly node: string;
  readonly datastore: Datastore;
  readonly ipam: Ipam;
  readonly workloads: Pick<WorkloadService, 'attach' | 'detach' | 'check' | 'list'>;
  /** Families that have a pool now. */
  readonly families: () => readonly Family[];
  /** Why no container can be attached now; `undefined`: one can. */
  readonly fault: () => string | undefined;
  readonly stateDirectory: string;
  readonly log: Logger;
}

/** Separates the parts of a handle of `overland-ipam`: none of them can have it, and no container's id begins with it. */
const SEPARATOR = '+';

/** Else a DEL from before would take the new attachment. */
const TRY_AGAIN: CniReply = {
  exitCode: 1,
  stdout: `${JSON.stringify({ cniVersion: '1.0.0', code: CNI_CODE.tryAgainLater, msg: 'an earlier DEL of this interface is not done yet' })}\n`,
};

/** Answers the calls of container runtimes. What CNI means is in `@overland/cni`; here is what this host does for it. */
export class CniService {
  readonly #options: CniServiceOptions;
  readonly #host: CniHost;
  readonly #adds = new AddsInFlight();
  readonly #spool: CniSpool;
  readonly #exhausted = new ExhaustedPools(() => performance.now());
  readonly #profiles: ProfileKeeper;

  constructor(options: CniServiceOptions) {
    const { workloads, log, stateDirectory } = options;
    this.#options = options;
    this.#profiles = new ProfileKeeper(options.datastore, log);
    this.#host = {
      status: async (wishes) => this.#status(wishes),
      attach: (request, profile) => this.#attach(request, profile, { isCalledOff: false }),
      detach: async (key) => {
        const isAttached = workloads
          .list()
          .some((one) => one.containerId === key.containerId && one.interface === key.interface);
        await workloads.detach(key);
        if (isAttached) this.#exhausted.released();
      },
      check: (key) => workloads.check(key),
      attachments: () => workloads.list(),
      addresses: {
        assign: (holder, wishes) => this.#assign(holder, wishes),
        release: async (holder) => {
          const released = await options.ipam.release(this.#handle(holder));
          if (released.length > 0) this.#exhausted.released();
        },
        heldBy: async (holder) => {
          const handle = this.#handle(holder);
          const found = await options.ipam.allocationsByHandle(handle);
          return found.filter((one) => one.handle === handle).map(({ address }) => address);
        },
        holders: (network) => this.#holders(network),
      },
      runPlugin,
    };
    this.#spool = new CniSpool(
      `${stateDirectory}/cni`,
      (call) => answerCall(call, this.#host),
      log,
    );
  }

  /** What came while no agent was there is done first: it may be about the same container. */
  async answer(call: CniCall): Promise<CniReply> {
    const waiting = await this.#spool.drain();
    const mustWait = call.env.CNI_COMMAND === 'ADD' && waiting.has(attachmentOf(call));
    const reply = mustWait ? TRY_AGAIN : await this.#perform(call);
    const { CNI_COMMAND: command, CNI_CONTAINERID: container, CNI_IFNAME: ifname } = call.env;
    if (reply.exitCode !== 0)
      this.#options.log.warn(
        { command, container, ifname, answer: reply.stdout },
        'cni call failed',
      );
    return reply;
  }

  /** Does what was asked while no agent was there, until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#spool.run(signal);
  }

  async #perform(call: CniCall): Promise<CniReply> {
    const { CNI_COMMAND: command } = call.env;
    const answer = (host = this.#host) => answerCall(call, host);
    const key = attachmentOf(call);
    if (command === 'DEL') return await this.#adds.overtake(key, answer);
    if (command !== 'ADD') return await answer();
    return await this.#adds.run(key, (flight) =>
      answer({
        ...this.#host,
        attach: (request, profile) => this.#attach(request, profile, flight),
      }),
    );
  }

  async #attach(
    request: AttachRequest,
    profile: AnyResource,
    flight: AddInFlight,
  ): Promise<AttachedWorkload> {
    this.#refuseUnlessReady();
    await this.#profiles.ensure(profile);
    refuseIfCalledOff(flight);
    const { workloads } = this.#options;
    const attach = () => workloads.attach(request);
    const attached = await this.#exhausted.watch(wishesOf(request), attach);
    refuseIfCalledOff(flight);
    return attached;
  }

  #refuseUnlessReady(): void {
    const fault = this.#options.fault();
    if (fault !== undefined) throw new UnavailableError(fault);
  }

  #status(wishes: AddressWishes | undefined): void {
    const fault = this.#options.fault();
    if (fault !== undefined) throw new CniError(CNI_CODE.notAvailable, fault);
    if (!wishes) return;
    if (this.#options.families().length === 0) {
      throw new CniError(CNI_CODE.notAvailable, 'there is no IPPool to assign addresses from');
    }
    const reason = this.#exhausted.reason(wishes);
    if (reason !== undefined) throw new CniError(CNI_CODE.notAvailable, reason);
  }

  async #assign(holder: AddressHolder, wishes: AddressWishes): Promise<readonly IpAddress[]> {
    this.#refuseUnlessReady();
    const { node, ipam, families } = this.#options;
    const { network, containerId, ifname } = holder;
    const assign = () =>
      ipam.assign({
        handle: this.#handle(holder),
        families: wishes.families ?? families(),
        attributes: { node, network, containerID: containerId, interface: ifname },
        ...(wishes.addresses && { addresses: wishes.addresses.map(parseAddress) }),
        ...(wishes.pools && { pools: wishes.pools }),
      });
    return (await this.#exhausted.watch(wishes, assign)).addresses;
  }

  #handle({ network, containerId, ifname }: AddressHolder): string {
    return this.#handlePrefix(network) + containerId + SEPARATOR + ifname;
  }

  #handlePrefix(network: string): string {
    return workloadHandlePrefix(this.#options.node) + SEPARATOR + network + SEPARATOR;
  }

  async #holders(network: string): Promise<AddressHolder[]> {
    const prefix = this.#handlePrefix(network);
    const found = await this.#options.ipam.allocationsByHandle(prefix);
    const handles = new Set(found.flatMap(({ handle }) => handle ?? []));
    return [...handles].map((handle) => {
      const [containerId = '', ...rest] = handle.slice(prefix.length).split(SEPARATOR);
      return { network, containerId, ifname: rest.join(SEPARATOR) };
    });
  }
}

/** What is made is undone by the DEL, which waits for this. */
function refuseIfCalledOff({ isCalledOff }: AddInFlight): void {
  if (isCalledOff) throw new CniError(CNI_CODE.tryAgainLater, 'not attached: a DEL came first');
}

function wishesOf({ families, pools }: AttachRequest): AddressWishes {
  return { ...(families && { families }), ...(pools && { pools }) };
}
