import { ParseError } from '@overland/net';

/** `02:00:5e:00:53:01`, as the kernel prints link-layer addresses. */
export function macText(octets: Uint8Array): string {
  return Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join(':');
}

/** @throws {ParseError} If `text` is not six hexadecimal octets with colons between them. */
export function macFromText(text: string): Uint8Array {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) {
    throw new ParseError('MAC address', text, 'six octets as 02:00:5e:00:53:01');
  }
  return Uint8Array.from(text.split(':'), (octet) => Number.parseInt(octet, 16));
}
