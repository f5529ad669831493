/** What the name of an object may be. */
export interface NameRule {
  /** A phrase that follows the path: `must be …`. */
  readonly rule: string;
  readonly holds: (name: string) => boolean;
}

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN = new RegExp(`^${LABEL}(\\.${LABEL})*$`);

/** DNS-1123 subdomain: the names of most kinds. */
export const subdomainName: NameRule = {
  rule: 'must be lower-case letters, digits, "-" and ".", at most 253 characters',
  holds: (name) => name.length <= 253 && SUBDOMAIN.test(name),
};

export const INTERFACE_NAME_RULE =
  'must be an interface name: at most 15 letters, digits, "_", "." and "-"';

/** Whether Linux takes `name` for an interface, and tools take it without quoting. */
export function isInterfaceName(name: string): boolean {
  return /^[A-Za-z0-9_.-]{1,15}$/.test(name);
}

/** Only one name is allowed. */
export function onlyName(only: string): NameRule {
  return { rule: `must be ${only}`, holds: (name) => name === only };
}

/** A qualified name of Kubernetes: an optional DNS prefix, a slash, at most 63 characters. */
export function isLabelKey(key: string): boolean {
  const [name = '', prefix, ...rest] = key.split('/').toReversed();
  if (rest.length > 0 || !/^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/.test(name))
    return false;
  return prefix === undefined || subdomainName.holds(prefix);
}

/** The key of an annotation: as of a label, but the prefix may be in capitals. */
export function isAnnotationKey(key: string): boolean {
  return isLabelKey(key.toLowerCase());
}

/** A label value of Kubernetes: empty, or at most 63 characters. */
export function isLabelValue(value: string): boolean {
  return /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/.test(value);
}
