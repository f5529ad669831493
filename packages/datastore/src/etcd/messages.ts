import { type Decoded, many, message, one } from './protobuf.ts';

// What we use of etcd's api/etcdserverpb/rpc.proto and api/mvccpb/kv.proto, version 3.4 and later.
// https://github.com/etcd-io/etcd/tree/main/api

const ResponseHeader = message({
  cluster_id: one(1, 'int64'),
  revision: one(3, 'int64'),
  raft_term: one(4, 'int64'),
});
export type ResponseHeader = Decoded<typeof ResponseHeader>;

const KeyValue = message({
  key: one(1, 'text'),
  mod_revision: one(3, 'int64'),
  value: one(5, 'text'),
});
export type KeyValue = Decoded<typeof KeyValue>;

export const RangeRequest = message({
  key: one(1, 'text'),
  range_end: one(2, 'text'),
  limit: one(3, 'int64'),
  revision: one(4, 'int64'),
  keys_only: one(8, 'bool'),
});

export const RangeResponse = message({
  header: one(1, ResponseHeader),
  kvs: many(2, KeyValue),
  more: one(3, 'bool'),
});

const PutRequest = message({
  key: one(1, 'text'),
  value: one(2, 'text'),
  lease: one(3, 'int64'),
});

const DeleteRangeRequest = message({ key: one(1, 'text') });

const RequestOp = message({
  request_range: one(1, RangeRequest),
  request_put: one(2, PutRequest),
  request_delete_range: one(3, DeleteRangeRequest),
});

const ResponseOp = message({ response_range: one(1, RangeResponse) });

/** `Compare.CompareResult` */
export const EQUAL = 0;
export const GREATER = 1;
/** `Compare.CompareTarget` */
export const VERSION = 0;
export const MOD = 2;

const Compare = message({
  result: one(1, 'int32'),
  target: one(2, 'int32'),
  key: one(3, 'text'),
  version: one(4, 'int64'),
  mod_revision: one(6, 'int64'),
});

export const TxnRequest = message({
  compare: many(1, Compare),
  success: many(2, RequestOp),
  failure: many(3, RequestOp),
});

export const TxnResponse = message({
  header: one(1, ResponseHeader),
  succeeded: one(2, 'bool'),
  responses: many(3, ResponseOp),
});
export type TxnResponse = Decoded<typeof TxnResponse>;

/** A transaction whose operations are transactions, each with conditions of its own. */
export const TxnBatchRequest = message({
  success: many(2, message({ request_txn: one(4, TxnRequest) })),
});

export const TxnBatchResponse = message({
  header: one(1, ResponseHeader),
  responses: many(3, message({ response_txn: one(4, TxnResponse) })),
});

export const CompactionRequest = message({ revision: one(1, 'int64') });
export const CompactionResponse = message({ header: one(1, ResponseHeader) });

/** `Event.EventType` */
export const DELETE = 1;

const Event = message({ type: one(1, 'int32'), kv: one(2, KeyValue) });

export const WatchRequest = message({
  create_request: one(
    1,
    message({
      key: one(1, 'text'),
      range_end: one(2, 'text'),
      start_revision: one(3, 'int64'),
      progress_notify: one(4, 'bool'),
      fragment: one(8, 'bool'),
    }),
  ),
});

export const WatchResponse = message({
  header: one(1, ResponseHeader),
  created: one(3, 'bool'),
  canceled: one(4, 'bool'),
  compact_revision: one(5, 'int64'),
  cancel_reason: one(6, 'text'),
  fragment: one(7, 'bool'),
  events: many(11, Event),
});
export type WatchResponse = Decoded<typeof WatchResponse>;

export const LeaseGrantRequest = message({ TTL: one(1, 'int64') });
export const LeaseGrantResponse = message({ ID: one(2, 'int64'), TTL: one(3, 'int64') });
export const LeaseRevokeRequest = message({ ID: one(1, 'int64') });
export const LeaseRevokeResponse = message({ header: one(1, ResponseHeader) });
export const LeaseKeepAliveRequest = message({ ID: one(1, 'int64') });
export const LeaseKeepAliveResponse = message({ ID: one(2, 'int64'), TTL: one(3, 'int64') });

export const AuthenticateRequest = message({ name: one(1, 'text'), password: one(2, 'text') });
export const AuthenticateResponse = message({ token: one(2, 'text') });

/** https://github.com/grpc/grpc/blob/master/doc/health-checking.md */
export const HealthCheckRequest = message({ service: one(1, 'text') });
export const HealthCheckResponse = message({ status: one(1, 'int32') });
