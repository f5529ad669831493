import {
  ERROR_NAMES,
  errorReport,
  RtrError,
  type RtrIntervals,
  type RtrPdu,
  type RtrVersion,
  resetQuery,
  serialQuery,
} from './rtr-pdu.ts';
import { emptyVrpTables, type Vrp, type VrpTables } from './vrp-table.ts';

/** Most VRPs that are taken from a cache: ten times as many as there are. */
const MAX_VRPS = 5_000_000;
/** Most changes that are kept until their end; with more, everything is asked for: that takes less memory. */
const MAX_CHANGES = 100_000;

/** One change, in order. */
export interface VrpChange {
  readonly announce: boolean;
  readonly vrp: Vrp;
}

/** What a PDU leads to. */
export type RtrEffect =
  | { readonly type: 'send'; readonly octets: Uint8Array }
  /** All VRPs of the cache are here. */
  | { readonly type: 'loaded'; readonly tables: VrpTables; readonly intervals?: RtrIntervals }
  /** What has changed since the last time is here. */
  | {
      readonly type: 'changed';
      readonly changes: readonly VrpChange[];
      readonly intervals?: RtrIntervals;
    }
  /** The connection is to be closed, after what is to be sent. `again`: to be opened anew at once. */
  | { readonly type: 'failed'; readonly reason: string; readonly again: boolean };

type Phase = 'closed' | 'idle' | 'asked' | 'loading' | 'changing';

/**
 * The router's side of one cache. RFC 8210, and RFC 6810 with a cache that knows no better. It outlives connections:
 * a cache that is dialled again is asked only for what has changed meanwhile. Pure: octets and effects.
 */
export class RtrSession {
  #version: RtrVersion = 1;
  #phase: Phase = 'closed';
  /** What we have of the cache; `undefined`: nothing. */
  #known: { readonly sessionId: number; readonly serial: number } | undefined;
  #sessionId = 0;
  #tables: VrpTables | undefined;
  #changes: VrpChange[] = [];
  #taken = 0;
  /** A PDU of this connection has settled the version. */
  #isVersionSettled = false;

  get version(): RtrVersion {
    return this.#version;
  }

  /** `undefined`: nothing has come yet. */
  get known(): { readonly sessionId: number; readonly serial: number } | undefined {
    return this.#known;
  }

  /** Whether an answer is awaited. */
  get isWaiting(): boolean {
    return this.#phase !== 'idle' && this.#phase !== 'closed';
  }

  /** The cache can be asked. @returns The first question. */
  connected(): Uint8Array {
    this.#isVersionSettled = false;
    return this.#ask();
  }

  /** The connection is over. */
  disconnected(): void {
    this.#phase = 'closed';
    this.#drop();
  }

  /** What came from the cache is not used any more. */
  forget(): void {
    this.#known = undefined;
  }

  /** It is time to ask what has changed. @returns The question; `undefined`: one is on its way. */
  refresh(): Uint8Array | undefined {
    return this.#phase === 'idle' ? this.#ask() : undefined;
  }

  receive(pdu: RtrPdu): RtrEffect[] {
    const versionFault = this.#checkVersion(pdu);
    if (versionFault) return versionFault;
    switch (pdu.type) {
      case 'serial-notify':
        return this.#notified(pdu.sessionId, pdu.serial);
      case 'cache-response':
        return this.#answered(pdu, pdu.sessionId);
      case 'prefix':
        return this.#take(pdu, pdu);
      case 'end-of-data':
        return this.#ended(pdu, pdu);
      case 'cache-reset':
        if (this.#phase !== 'asked') return this.#unexpected(pdu);
        this.forget();
        return [{ type: 'send', octets: this.#ask() }];
      case 'router-key':
        return [];
      case 'error':
        return this.#refused(pdu.code, pdu.text);
    }
  }

  #ask(): Uint8Array {
    this.#phase = 'asked';
    this.#drop();
    const known = this.#known;
    return known
      ? serialQuery(this.#version, known.sessionId, known.serial)
      : resetQuery(this.#version);
  }

  #drop(): void {
    this.#tables = undefined;
    this.#changes = [];
    this.#taken = 0;
  }

  /** RFC 8210 section 7: the first answer may be of a lower version; later ones may not differ. */
  #checkVersion(pdu: RtrPdu): RtrEffect[] | undefined {
    if (pdu.version === this.#version) {
      this.#isVersionSettled = true;
      return undefined;
    }
    if (pdu.type === 'error' && pdu.code === RtrError.UnsupportedVersion) return undefined;
    if (!this.#isVersionSettled && pdu.version === 0) {
      this.#version = 0;
      this.#isVersionSettled = true;
      return undefined;
    }
    const code = this.#isVersionSettled ? RtrError.UnexpectedVersion : RtrError.UnsupportedVersion;
    return this.#fault(pdu, code, `version ${pdu.version} instead of ${this.#version}`);
  }

  #notified(sessionId: number, serial: number): RtrEffect[] {
    const known = this.#known;
    const isNews = known && (sessionId !== known.sessionId || serial !== known.serial);
    if (this.#phase !== 'idle' || !isNews) return [];
    // Another session: the cache began anew, and its serial numbers mean nothing to us.
    if (sessionId !== known.sessionId) this.forget();
    return [{ type: 'send', octets: this.#ask() }];
  }

  #answered(pdu: RtrPdu, sessionId: number): RtrEffect[] {
    if (this.#phase !== 'asked') return this.#unexpected(pdu);
    if (this.#known && sessionId !== this.#known.sessionId) {
      // RFC 8210 section 5.5: what we have is of another session, and must go.
      this.forget();
      return [{ type: 'failed', reason: 'the cache began a new session', again: true }];
    }
    this.#sessionId = sessionId;
    this.#phase = this.#known ? 'changing' : 'loading';
    if (this.#phase === 'loading') this.#tables = emptyVrpTables();
    return [];
  }

  #take(pdu: RtrPdu, change: VrpChange): RtrEffect[] {
    const { announce, vrp } = change;
    this.#taken += 1;
    if (this.#taken > MAX_VRPS) {
      return this.#fault(pdu, RtrError.InternalError, `more than ${MAX_VRPS} prefixes`);
    }
    if (this.#phase === 'changing') {
      // Not the PDU itself: it holds on to the octets that it came in.
      this.#changes.push({ announce, vrp });
      if (this.#changes.length <= MAX_CHANGES) return [];
      this.forget();
      return [{ type: 'failed', reason: 'more has changed than is taken', again: true }];
    }
    const table = this.#tables?.[vrp.family];
    if (this.#phase !== 'loading' || !table) return this.#unexpected(pdu);
    if (announce ? table.add(vrp) : table.remove(vrp)) return [];
    return announce
      ? this.#fault(pdu, RtrError.DuplicateAnnouncement, 'it was announced before')
      : this.#fault(pdu, RtrError.WithdrawalOfUnknown, 'it was not announced');
  }

  #ended(
    pdu: RtrPdu,
    end: { readonly sessionId: number; readonly serial: number; readonly intervals?: RtrIntervals },
  ): RtrEffect[] {
    const { sessionId, serial, intervals } = end;
    const isLoad = this.#phase === 'loading';
    if (!isLoad && this.#phase !== 'changing') return this.#unexpected(pdu);
    if (sessionId !== this.#sessionId) {
      return this.#fault(pdu, RtrError.CorruptData, 'it is of another session');
    }
    this.#known = { sessionId, serial };
    this.#phase = 'idle';
    const told = intervals ? { intervals } : {};
    const [tables, changes] = [this.#tables, this.#changes];
    this.#drop();
    return isLoad && tables
      ? [{ type: 'loaded', tables, ...told }]
      : [{ type: 'changed', changes, ...told }];
  }

  #refused(code: number, text: string): RtrEffect[] {
    const name = ERROR_NAMES[code] ?? `error ${code}`;
    if (code === RtrError.UnsupportedVersion && this.#version === 1) {
      this.#version = 0;
      this.forget();
      return [{ type: 'failed', reason: 'the cache knows version 0 only', again: true }];
    }
    const reason = text === '' ? name : `${name}: ${text}`;
    return [{ type: 'failed', reason: `the cache reports ${reason}`, again: false }];
  }

  #unexpected(pdu: RtrPdu): RtrEffect[] {
    return this.#fault(pdu, RtrError.InvalidRequest, `${pdu.type} was not asked for`);
  }

  /** An Error Report is never answered by another one. */
  #fault(pdu: RtrPdu, code: number, reason: string): RtrEffect[] {
    const octets = errorReport(this.#version, code, pdu.octets, reason);
    const failed = {
      type: 'failed',
      reason: `${ERROR_NAMES[code]}: ${reason}`,
      again: false,
    } as const;
    return pdu.type === 'error' ? [failed] : [{ type: 'send', octets }, failed];
  }
}
