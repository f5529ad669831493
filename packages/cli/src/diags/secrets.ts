import { isJsonObject } from '@overland/model';

const REDACTED = '[redacted]';

/** Names of settings and fields that hold a secret; names of files that hold one are none. */
const SECRET_NAME = /(password|passwd|secret|token|credential|etcd_?key$)/i;
const NO_SECRET = /(file|path|ref)$/i;

/** What programs print that is secret, wherever it stands. */
const SECRET_TEXTS: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g, REDACTED],
  // Kernel settings that sysctl shows to root.
  [/^(.*(?:stable_secret|fastopen_key)\s*=).*$/gm, `$1 ${REDACTED}`],
  // Of TCP sessions (RFC 2385), as ss shows them.
  [/(md5keys:)\S+/g, `$1${REDACTED}`],
  [/(\b[a-z][a-z0-9+.-]*:\/\/[^/\s:@]*:)[^/\s@]+@/gi, `$1${REDACTED}@`],
  [
    /((?:password|passwd|secret|token)["']?\s*[:=]\s*)(?!null\b|\[redacted)("[^"]*"|'[^']*'|[^\s,}]+)/gi,
    `$1${REDACTED}`,
  ],
];

/** A shorter one would be found in every other word. */
const SHORTEST_SECRET = 4;

/** Learns secrets where they are known to stand, and takes them out of everything else. */
export class Secrets {
  readonly #known = new Set<string>();

  /** `value` without secrets; they are known from now on. */
  redact(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.redact(item));
    if (!isJsonObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => {
        if (!SECRET_NAME.test(name) || NO_SECRET.test(name)) return [name, this.redact(item)];
        // As `password: { secretKeyRef: … }` or `password: { value: … }`.
        if (isJsonObject(item)) return [name, this.#redactInside(item)];
        return [name, this.#hide(item)];
      }),
    );
  }

  /** Learns the secrets of an environment. */
  learnFrom(environment: Readonly<Record<string, string | undefined>>): void {
    for (const [name, value] of Object.entries(environment)) {
      if (SECRET_NAME.test(name) && !NO_SECRET.test(name)) this.#hide(value);
    }
  }

  /** `text` without any known secret, and without what looks like one. */
  scrub(text: string): string {
    let scrubbed = text;
    for (const secret of this.#known) scrubbed = scrubbed.replaceAll(secret, REDACTED);
    for (const [pattern, replacement] of SECRET_TEXTS) {
      scrubbed = scrubbed.replace(pattern, replacement);
    }
    return scrubbed;
  }

  #redactInside(value: { readonly [name: string]: unknown }): unknown {
    const entries = Object.entries(value).map(([name, item]) => {
      const isSafe = NO_SECRET.test(name) || name === 'file';
      return [name, isSafe ? item : this.#hide(item)];
    });
    return Object.fromEntries(entries);
  }

  #hide(value: unknown): unknown {
    if (typeof value === 'string' && value.length >= SHORTEST_SECRET) {
      for (const line of value.split('\n')) {
        if (line.trim().length >= SHORTEST_SECRET) this.#known.add(line.trim());
      }
    }
    return value === undefined || value === null || value === '' ? value : REDACTED;
  }
}
