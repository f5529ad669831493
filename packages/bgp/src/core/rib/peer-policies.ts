import type { Family } from '@overland/net';
import type { PeerConfig, SpeakerConfig } from '../config.ts';
import type { AttributeEdits } from '../policy/attribute-edits.ts';
import { compileFilters } from '../policy/compile-filters.ts';
import type { CompiledPolicy } from '../policy/compiled-policy.ts';
import { composeEdits, editsKey, NO_EDITS } from '../policy/compose-edits.ts';
import { GRACEFUL_SHUTDOWN_EDITS } from '../policy/graceful-shutdown.ts';
import { localAsEdits } from '../policy/local-as.ts';
import type { RouteFilter } from '../policy/route-filter.ts';
import type { OriginValidation } from '../rpki/origin-validation.ts';
import { ImportPolicy } from './import-policy.ts';
import { ImportSafety, ImportSafetyFacts } from './import-safety.ts';
import type { Treatments } from './treatments.ts';

/** The policies of all peers under one configuration, made when asked for; peers with the same ones share them. */
export class PeerPolicies {
  readonly #config: SpeakerConfig;
  readonly #treatments: Treatments;
  readonly #origins: OriginValidation;
  readonly #filters: ReadonlyMap<string, RouteFilter>;
  readonly #compiled = new Map<string, CompiledPolicy>();
  readonly #imports = new Map<string, ImportPolicy>();
  readonly #facts = new Map<Family, ImportSafetyFacts>();

  constructor(config: SpeakerConfig, treatments: Treatments, origins: OriginValidation) {
    this.#config = config;
    this.#treatments = treatments;
    this.#origins = origins;
    this.#filters = new Map((config.filters ?? []).map((filter) => [filter.name, filter]));
  }

  /** `undefined`: everything is accepted as it comes. */
  importOf(peer: PeerConfig, family: Family): ImportPolicy | undefined {
    const { importFilters, importSafety } = peer;
    const last = this.#lastEdits(peer, 'import');
    const filters = this.#compile(importFilters, family, last);
    if (!filters && !importSafety) return undefined;
    const key = JSON.stringify([family, importFilters, importSafety, editsKey(last)]);
    const found = this.#imports.get(key);
    if (found) return found;
    const safety = importSafety && new ImportSafety(this.#factsOf(family), importSafety);
    const made = new ImportPolicy({ safety, filters }, this.#treatments);
    this.#imports.set(key, made);
    return made;
  }

  /** `undefined`: there is nothing beyond the built-in policy. */
  exportOf(peer: PeerConfig, family: Family): CompiledPolicy | undefined {
    return this.#compile(peer.exportFilters, family, this.#lastEdits(peer, 'export'));
  }

  #compile(
    names: readonly string[] = [],
    family: Family,
    last: AttributeEdits,
  ): CompiledPolicy | undefined {
    if (names.length === 0 && last === NO_EDITS) return undefined;
    const key = JSON.stringify([family, names, editsKey(last)]);
    const filters = names.map((name) => this.#filters.get(name) ?? closed(name));
    const { asn } = this.#config;
    const compiled =
      this.#compiled.get(key) ??
      compileFilters(filters, family, { last, origins: this.#origins, asn });
    this.#compiled.set(key, compiled);
    // Without an id there is no rule for the family.
    return compiled.id === '' ? undefined : compiled;
  }

  /** What is done to whatever is accepted. */
  #lastEdits(peer: PeerConfig, direction: 'import' | 'export'): AttributeEdits {
    const shutdown = peer.gracefulShutdown ? GRACEFUL_SHUTDOWN_EDITS : NO_EDITS;
    const localAs = localAsEdits(peer, this.#config.asn, direction);
    return localAs ? composeEdits(shutdown, localAs) : shutdown;
  }

  #factsOf(family: Family): ImportSafetyFacts {
    const found = this.#facts.get(family) ?? new ImportSafetyFacts(family, this.#config);
    this.#facts.set(family, found);
    return found;
  }
}

/** A filter that does not exist lets nothing through. */
function closed(name: string): RouteFilter {
  return { name, rules: [{ name: 'missing', action: 'reject' }] };
}
