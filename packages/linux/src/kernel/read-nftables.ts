import { setImmediate } from 'node:timers/promises';
import type { Message } from '../netlink/message-reader.ts';
import type { MessageWriter } from '../netlink/message-writer.ts';
import type { NetlinkSocket } from '../netlink/netlink-socket.ts';
import { fingerprintOf } from '../netlink/nft/compile-rule.ts';
import { ElementTexts, readElements, writeElementDump } from '../netlink/nft/element-codec.ts';
import { formOf, readSet, writeSetGet } from '../netlink/nft/set-codec.ts';
import {
  readChain,
  readDormant,
  readGeneration,
  readRule,
  type TablePlace,
  writeChainDump,
  writeGenerationGet,
  writeRuleDump,
  writeTableGet,
} from '../netlink/nft/table-codec.ts';
import { type NftChain, type NftContent, NftError, type NftSet } from '../nftables.ts';
import { KernelError } from '../ports.ts';

/** A listing gives way to other work after this many datagrams of up to 32 KB: about 5 ms. */
const SLICE_DATAGRAMS = 32;
const ATTEMPTS = 20;
/**
 * A hash table that has just grown is still being moved, and a listing of several datagrams then leaves elements out without
 * a word: one of more elements is repeated until it brings nothing new.
 */
const FEW_ELEMENTS = 256;

/**
 * What a table holds, all of one moment: read again if anything in the namespace has changed meanwhile.
 *
 * @param socket That nothing else uses.
 * @throws {NftError} If it never held still.
 */
export async function readNftTable(
  socket: NetlinkSocket,
  place: TablePlace,
): Promise<NftContent | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = generation(socket);
    try {
      const content = await readOnce(socket, place);
      if (content !== 'interrupted' && generation(socket) === before) return content;
    } catch (error) {
      // A set that has gone since it was listed.
      if (!(error instanceof KernelError) || error.code !== 'ENOENT') throw error;
    }
  }
  throw new NftError(`read table ${place.table}: it kept changing while it was read`);
}

function generation(socket: NetlinkSocket): number {
  let found = 0;
  const refusal = socket.get(writeGenerationGet, (message) => {
    found = readGeneration(message);
  });
  if (refusal !== undefined) throw new KernelError(refusal, 'read the generation of nftables');
  return found;
}

type Read = NftContent | undefined | 'interrupted';

async function readOnce(socket: NetlinkSocket, place: TablePlace): Promise<Read> {
  let dormant = false;
  const refusal = socket.get(
    (writer) => writeTableGet(writer, place),
    (message) => {
      dormant = readDormant(message);
    },
  );
  if (refusal === 'ENOENT') return undefined;
  if (refusal !== undefined) throw new KernelError(refusal, `read table ${place.table}`);
  const chains = await readChains(socket, place);
  const sets = chains && (await readSets(socket, place));
  return sets ? { dormant, chains, sets } : 'interrupted';
}

async function readChains(
  socket: NetlinkSocket,
  { family, table }: TablePlace,
): Promise<Map<string, NftChain> | undefined> {
  const chains = new Map<string, NftChain & { readonly rules: (string | undefined)[] }>();
  const dump = (write: (writer: MessageWriter) => void, read: (message: Message) => void) =>
    readAll(socket, write, read);
  const isWhole = await dump(
    (writer) => writeChainDump(writer, family),
    (message) => {
      const { name, hook, ...chain } = readChain(message);
      if (chain.table === table) chains.set(name, { hook, rules: [] });
    },
  );
  if (!isWhole) return undefined;
  const hasRules = await dump(
    (writer) => writeRuleDump(writer, { family, table }),
    (message) => {
      const rule = readRule(message);
      if (rule.table === table) chains.get(rule.chain)?.rules.push(fingerprintOf(rule.userdata));
    },
  );
  return hasRules ? chains : undefined;
}

async function readSets(
  socket: NetlinkSocket,
  place: TablePlace,
): Promise<Map<string, NftSet> | undefined> {
  const listed: ReturnType<typeof readSet>[] = [];
  const isWhole = await readAll(
    socket,
    (writer) => writeSetGet(writer, place),
    (message) => void listed.push(readSet(message)),
  );
  if (!isWhole) return undefined;
  const sets = new Map<string, NftSet>();
  for (const { table, name, isAnonymous, ...spec } of listed) {
    if (table !== place.table || isAnonymous) continue;
    const form = formOf(spec);
    const elements = form && new ElementTexts(form);
    for (let known = 0; ; known = elements?.size ?? 0) {
      const hasElements = await readAll(
        socket,
        (writer) => writeElementDump(writer, { ...place, set: name }),
        (message) => readElements(message, (element) => elements?.take(element)),
      );
      if (!hasElements) return undefined;
      if (!elements || elements.size === known || elements.size <= FEW_ELEMENTS) break;
    }
    // A set that we could not have made: that it is there, is all that matters.
    sets.set(name, { ...spec, elements: elements?.all() ?? new Map() });
  }
  return sets;
}

/** @returns Whether nothing has changed meanwhile. */
async function readAll(
  socket: NetlinkSocket,
  write: (writer: MessageWriter) => void,
  read: (message: Message) => void,
): Promise<boolean> {
  socket.beginDump(write);
  for (let datagrams = 1; ; datagrams++) {
    const state = socket.continueDump(
      'list nftables',
      (message) => {
        read(message);
        return undefined;
      },
      [],
    );
    if (state !== 'more') return state === 'done';
    if (datagrams % SLICE_DATAGRAMS === 0) await setImmediate();
  }
}
