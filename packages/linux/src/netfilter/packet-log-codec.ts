import type { Message } from '../netlink/message-reader.ts';
import type { MessageWriter } from '../netlink/message-writer.ts';
import { netfilterAttributes, PACKET_LOG } from './constants.ts';

/** A packet that a rule with `log group` met. */
export interface LoggedPacket {
  /** What the rule says. */
  readonly prefix: string;
  /** Index of the interface; 0: none. */
  readonly inDevice: number;
  readonly outDevice: number;
  /** Its first octets, the IP header onwards; valid during the call. */
  readonly octets: Uint8Array;
}

/** linux/netfilter/nfnetlink_log.h */
const NFULA = { inDevice: 4, outDevice: 5, payload: 9, prefix: 10 } as const;
const CONFIG = { command: 1, mode: 2, timeout: 4 } as const;
const BIND = 1;
const COPY_PACKET = 2;
/** How long the kernel may keep packets to send several at once, hundredths of a second. */
const HOLD = 10;

/** Asks for the packets of a group. A group has one reader: EPERM if there is one. */
export function writeLogBinding(writer: MessageWriter, group: number, copyOctets: number): void {
  writer.begin(PACKET_LOG.config, 0);
  writeHeader(writer, group);
  writer.attributeBytes(CONFIG.command, Uint8Array.of(BIND));
  writer.end();
  writer.begin(PACKET_LOG.config, 0);
  writeHeader(writer, group);
  const mode = new DataView(new ArrayBuffer(6)); // range (4), mode, padding
  mode.setUint32(0, copyOctets);
  mode.setUint8(4, COPY_PACKET);
  writer.attributeBytes(CONFIG.mode, new Uint8Array(mode.buffer));
  const hold = new DataView(new ArrayBuffer(4));
  hold.setUint32(0, HOLD);
  writer.attributeBytes(CONFIG.timeout, new Uint8Array(hold.buffer));
  writer.end();
}

/** `struct nfgenmsg`: family, version, group (2, network order). */
function writeHeader(writer: MessageWriter, group: number): void {
  writer.raw(Uint8Array.of(0, 0, group >> 8, group & 0xff));
}

export function readLoggedPacket(message: Message): LoggedPacket {
  const attributes = netfilterAttributes(message);
  let [prefix, inDevice, outDevice] = ['', 0, 0];
  let octets: Uint8Array = new Uint8Array();
  while (attributes.next()) {
    switch (attributes.type) {
      case NFULA.prefix:
        prefix = attributes.text();
        break;
      case NFULA.inDevice:
        inDevice = attributes.message.view.getUint32(attributes.start);
        break;
      case NFULA.outDevice:
        outDevice = attributes.message.view.getUint32(attributes.start);
        break;
      case NFULA.payload:
        octets = attributes.octets();
        break;
    }
  }
  return { prefix, inDevice, outDevice, octets };
}
