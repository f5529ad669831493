export {
  decodeMrt,
  type MrtMessage,
  type MrtPeer,
  type MrtRibEntry,
  type MrtSession,
} from './decode-mrt.ts';
export { type DescribedMrtRecord, MrtDescriber } from './describe-mrt.ts';
export { MrtError } from './mrt-error.ts';
export { MrtReader, type RawMrtRecord } from './mrt-record.ts';
