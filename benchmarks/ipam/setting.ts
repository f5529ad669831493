import { parsePrefix } from '@overland/net';

export const PORT = 23_890;
export const ENDPOINT = `http://127.0.0.1:${PORT}`;
export const AT = new Date('2026-11-27T08:00:00Z');
/** Pools: of the hosts that are measured, and of all others. */
export const OWN = parsePrefix('172.16.0.0/12');
export const OTHERS = parsePrefix('10.0.0.0/8');
export const BLOCK_LENGTH = 26;
export const BLOCK_SIZE = 64;
