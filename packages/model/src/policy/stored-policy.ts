import { isJsonObject } from '../json.ts';
import type { Kind } from '../kinds.ts';
import { tierOfPolicyName } from './policy-names.ts';

/**
 * Holds `{"name":"…"}`: what a policy is called. Calico's older versions stored policies of the default tier under
 * `default.NAME`, so the name in the key is not always the one that people gave.
 */
const NAME_ANNOTATION = 'projectcalico.org/metadata';

/** Before the names of policies of the default tier, in the keys of Calico's older versions. */
const FORMER_PREFIX = 'default.';

const POLICY_KINDS: ReadonlySet<Kind> = new Set<Kind>([
  'NetworkPolicy',
  'GlobalNetworkPolicy',
  'StagedNetworkPolicy',
  'StagedGlobalNetworkPolicy',
]);

/** Whether objects of the kind are policies with a tier, whose stored form names them in an annotation. */
export function isTieredPolicy(kind: Kind): boolean {
  return POLICY_KINDS.has(kind);
}

/** An object as it is stored, under the name that people gave it. Policies only differ. */
export function fromStoredForm(kind: Kind, stored: unknown): unknown {
  if (!isTieredPolicy(kind) || !isJsonObject(stored)) return stored;
  const { metadata, spec } = stored;
  if (!isJsonObject(metadata) || typeof metadata.name !== 'string') return stored;
  const { annotations, ...rest } = metadata;
  const { [NAME_ANNOTATION]: named, ...others } = isJsonObject(annotations) ? annotations : {};
  const given = isJsonObject(spec) && typeof spec.tier === 'string' ? spec.tier : undefined;
  const tier = given ?? tierOfPolicyName(metadata.name);
  const name = nameIn(named, metadata.name) ?? formerName(metadata.name, tier);
  const isOnlyOne = named !== undefined && Object.keys(others).length === 0;
  const kept = named === undefined ? annotations : others;
  return {
    ...stored,
    metadata: { ...rest, name, ...(kept !== undefined && !isOnlyOne && { annotations: kept }) },
    // Older objects say their tier in their name alone.
    ...(isJsonObject(spec) &&
      given === undefined &&
      tier !== 'default' && { spec: { ...spec, tier } }),
  };
}

/**
 * The inverse of {@link fromStoredForm}.
 *
 * @param keyName The last segment of the object's key.
 */
export function toStoredForm(kind: Kind, document: unknown, keyName: string): unknown {
  if (!isTieredPolicy(kind) || !isJsonObject(document)) return document;
  const metadata = isJsonObject(document.metadata) ? document.metadata : {};
  const annotations = isJsonObject(metadata.annotations) ? metadata.annotations : {};
  const named = JSON.stringify({ name: metadata.name });
  return {
    ...document,
    metadata: {
      ...metadata,
      name: keyName,
      annotations: { ...annotations, [NAME_ANNOTATION]: named },
    },
  };
}

/** Under which other name an older version may have stored the policy; `undefined` if under none. */
export function formerKeyName(kind: Kind, name: string): string | undefined {
  const isPossible = isTieredPolicy(kind) && !name.includes('.');
  return isPossible ? FORMER_PREFIX + name : undefined;
}

function formerName(keyName: string, tier: string): string {
  const isFormer = tier === 'default' && keyName.startsWith(FORMER_PREFIX);
  return isFormer ? keyName.slice(FORMER_PREFIX.length) : keyName;
}

/** What an annotation says; `undefined` if that is no name under which the key would be this one. */
function nameIn(annotation: unknown, keyName: string): string | undefined {
  if (typeof annotation !== 'string') return undefined;
  try {
    const metadata: unknown = JSON.parse(annotation);
    const name = isJsonObject(metadata) ? metadata.name : undefined;
    const isLikely = name === keyName || keyName === `${FORMER_PREFIX}${String(name)}`;
    return typeof name === 'string' && isLikely ? name : undefined;
  } catch {
    return undefined;
  }
}
