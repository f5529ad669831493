import { type DiscoverySocket, KernelError } from '@overland/linux';
import { type IpAddress, parseAddress } from '@overland/net';
import { LinkDiscovery } from '../core/discovery/link-discovery.ts';
import {
  DiscoveryType,
  decodeRouterMessage,
  encodeAdvertisement,
  encodeSolicitation,
} from '../core/discovery/router-message.ts';
import type { RouterDiscoveryOptions } from './router-discovery.ts';

/** Router Lifetime that we advertise, seconds: a restart of ours takes less, and the other side finds us all the same. */
const LIFETIME_SECONDS = 1800;
/** Between attempts to open a socket, milliseconds. */
const REOPEN_MS = 1000;

const ALL_NODES = parseAddress('ff02::1');
const ALL_ROUTERS = parseAddress('ff02::2');
const TYPES = Object.values(DiscoveryType);

/** Router discovery on one interface: a socket while the interface is usable, a timer, and what {@link LinkDiscovery} says. */
export class DiscoveredLink {
  readonly #device: string;
  readonly #options: RouterDiscoveryOptions;
  readonly #discovery: LinkDiscovery;
  #socket: DiscoverySocket | undefined;
  #isUsable = false;
  #timer: NodeJS.Timeout | undefined;
  /** Why there is no socket, as last logged. */
  #fault: string | undefined;

  constructor(device: string, options: RouterDiscoveryOptions) {
    this.#device = device;
    this.#options = options;
    const isInUse = (): boolean => options.isInUse(device);
    this.#discovery = new LinkDiscovery(performance.now(), options.random, isInUse);
  }

  get router(): IpAddress | undefined {
    return this.#discovery.router;
  }

  /** The interface has come up, or gone down. */
  setUsable(isUsable: boolean): void {
    if (isUsable === this.#isUsable) return;
    this.#isUsable = isUsable;
    if (isUsable) this.#open();
    else this.#lost();
  }

  dialled(address: IpAddress): boolean {
    let isRouter = false;
    this.#observe(() => {
      isRouter = this.#discovery.dialled(address, performance.now());
    });
    return isRouter;
  }

  /** Ends for good: others need not wait for our lifetime to be over. RFC 4861 section 6.2.5. */
  end(): void {
    if (this.#socket) this.#send(encodeAdvertisement(0, this.#socket.mac), ALL_NODES);
    this.close();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#socket?.close();
    this.#socket = undefined;
  }

  #open(): void {
    clearTimeout(this.#timer);
    if (!this.#isUsable) return;
    try {
      this.#socket = this.#options.open({
        device: this.#device,
        types: TYPES,
        received: (packet) => this.#received(packet),
        failed: (code) => {
          this.#options.log.debug(
            { interface: this.#device, code },
            'router discovery begins anew',
          );
          this.#socket = undefined;
          this.#lost();
          this.#timer = setTimeout(() => this.#open(), REOPEN_MS);
        },
      });
      this.#fault = undefined;
      this.#wake();
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      if (this.#fault !== error.code) {
        this.#options.log.warn({ err: error, interface: this.#device }, 'no router discovery');
      }
      this.#fault = error.code;
      this.#timer = setTimeout(() => this.#open(), REOPEN_MS);
    }
  }

  /** Whoever was there may not be the one who is there next. */
  #lost(): void {
    this.close();
    this.#observe(() => this.#discovery.reset(performance.now()));
  }

  #received(packet: Uint8Array): void {
    const message = decodeRouterMessage(packet);
    if (!message) return;
    this.#observe(() => this.#discovery.heard(message, performance.now()));
    this.#wake();
  }

  /** Sends what is due, and sleeps until something is. */
  #wake(): void {
    clearTimeout(this.#timer);
    const now = performance.now();
    const { mac } = this.#socket ?? {};
    if (!mac) return;
    this.#observe(() => {
      const { advertisement, solicitation } = this.#discovery.tick(now);
      if (!advertisement) return;
      const isSent =
        this.#send(encodeAdvertisement(LIFETIME_SECONDS, mac), ALL_NODES) &&
        (!solicitation || this.#send(encodeSolicitation(mac), ALL_ROUTERS));
      if (!isSent) this.#discovery.failedToSend(now);
    });
    const sleepMs = Math.max(1, this.#discovery.wakeMs - now);
    this.#timer = setTimeout(() => this.#wake(), Math.ceil(sleepMs));
  }

  /** @returns Whether it went out. The kernel may have to make sure first that our link-local address is unique. */
  #send(message: Uint8Array, to: IpAddress): boolean {
    try {
      this.#socket?.send(message, to);
      return true;
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      this.#options.log.debug({ err: error, interface: this.#device }, 'not advertised yet');
      return false;
    }
  }

  /** Does something after which the router may be another one. */
  #observe(action: () => void): void {
    const before = this.#discovery.router;
    action();
    const router = this.#discovery.router;
    if (router === before) return;
    const device = this.#device;
    if (router === undefined) this.#options.log.info({ interface: device }, 'the router is gone');
    else this.#options.log.info({ interface: device, router }, 'a router is there');
    this.#options.changed();
  }
}
