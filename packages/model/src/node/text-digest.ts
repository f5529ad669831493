import { hash } from 'node:crypto';

/** SHA-256 of a text, in base64url: for names of kernel objects that have no room for the text itself. */
export function textDigest(text: string): string {
  return hash('sha256', text, 'base64url');
}
