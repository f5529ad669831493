/** `graceSeconds` → `--grace-seconds`. */
export function flagOf(name: string): string {
  return `--${kebab(name)}`;
}

/** `graceSeconds` → `grace-seconds`. */
export function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `grace-seconds` → `graceSeconds`. */
export function camel(name: string): string {
  return name.replaceAll(/-[a-z]/g, (match) => match.charAt(1).toUpperCase());
}
