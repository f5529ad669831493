// The core has ECMAScript alone, which knows UTF-8 only in URI escapes.

/** The octets of a text; a lone surrogate becomes U+FFFD. */
export function utf8Of(text: string): Uint8Array {
  const escaped = encodeURIComponent(text.toWellFormed());
  return Uint8Array.from(escaped.match(/%..|[^%]/g) ?? [], (part) =>
    part.length === 3 ? Number.parseInt(part.slice(1), 16) : part.charCodeAt(0),
  );
}

/** The text of some octets; `undefined` if they are not UTF-8. */
export function textOf(utf8: Uint8Array): string | undefined {
  try {
    return decodeURIComponent(
      Array.from(utf8, (octet) => `%${octet.toString(16).padStart(2, '0')}`).join(''),
    );
  } catch {
    return undefined;
  }
}
