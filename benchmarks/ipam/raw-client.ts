import { ChannelCredentials, Client } from '@grpc/grpc-js';
import type { Written } from './host.ts';
import { PORT } from './setting.ts';

/**
 * A client that can do nothing but put two keys in one transaction: one RPC, encoded by hand. With as many conditions as an
 * assignment has, or with none.
 */
export function rawClient() {
  const client = new Client(`127.0.0.1:${PORT}`, ChannelCredentials.createInsecure());
  const field = (tag: number, content: string | Buffer): Buffer => {
    const bytes = Buffer.from(content);
    const length: number[] = [];
    for (let rest = bytes.length; ; rest >>>= 7) {
      length.push(rest > 127 ? (rest & 127) | 128 : rest);
      if (rest <= 127) break;
    }
    return Buffer.concat([Buffer.from([tag, ...length]), bytes]);
  };
  // TxnRequest.success = 2, RequestOp.request_put = 2, PutRequest.key = 1 and .value = 2.
  const put = (key: string, value: string): Buffer =>
    field(0x12, field(0x12, Buffer.concat([field(0x0a, key), field(0x12, value)])));
  return {
    write: (name: string, { block, handle }: Written, conditions: number) =>
      new Promise<void>((resolve, reject) => {
        // TxnRequest.compare = 1, Compare.key = 3: that there is no such key.
        const compare = Array.from({ length: conditions }, (_, i) =>
          field(0x0a, field(0x1a, `/bench/${['block', 'handle', 'claim'][i]}/${name}`)),
        );
        const request = Buffer.concat([
          ...compare,
          put(`/bench/block/${name}`, block),
          put(`/bench/handle/${name}`, handle),
        ]);
        client.makeUnaryRequest(
          '/etcdserverpb.KV/Txn',
          (bytes: Buffer) => bytes,
          (bytes: Buffer) => bytes,
          request,
          (error: Error | null) => (error ? reject(error) : resolve()),
        );
      }),
    close: () => client.close(),
  };
}
