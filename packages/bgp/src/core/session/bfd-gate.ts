/** What BFD says of the path to a peer. RFC 5880 section 4.1. */
export type BfdState = 'up' | 'down' | 'admin-down';

/** A change of the BFD session with a peer, for the BGP session that it watches over. */
export interface BfdChange {
  readonly state: BfdState;
  /** Both sides have set the C bit: BFD outlives a restart of BGP, so its loss is a loss of forwarding. */
  readonly controlPlaneIndependent: boolean;
}

/** Whether a BGP session may be set up, as far as BFD has a say. RFC 5882 sections 4.1 and 4.3. */
export class BfdGate {
  #state: BfdState | undefined;

  /** `undefined`: nothing has been heard of BFD. */
  get state(): BfdState | undefined {
    return this.#state;
  }

  /**
   * Whether the session may be opened now. BFD that is administratively down says nothing of the path, and does not
   * hold a session up (RFC 5882 section 4.1).
   *
   * @param strict Wait until BFD is up; otherwise it can only end a session.
   */
  isOpen(strict: boolean): boolean {
    return !strict || this.#state === 'up' || this.#state === 'admin-down';
  }

  /** @returns Whether the path is lost: BFD is down and was not. */
  change(state: BfdState): boolean {
    const before = this.#state;
    this.#state = state;
    return state === 'down' && before !== 'down';
  }
}
