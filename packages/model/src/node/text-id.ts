import { hash } from 'node:crypto';

/** A name for a text that is too long to be one: the beginning of its SHA-224, 32 letters, digits, `-` and `_`. */
export function textId(text: string): string {
  return hash('sha224', text, 'base64url').slice(0, 32);
}
