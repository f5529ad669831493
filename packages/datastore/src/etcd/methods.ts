import {
  CompactionRequest,
  CompactionResponse,
  LeaseGrantRequest,
  LeaseGrantResponse,
  LeaseKeepAliveRequest,
  LeaseKeepAliveResponse,
  LeaseRevokeRequest,
  LeaseRevokeResponse,
  RangeRequest,
  RangeResponse,
  TxnBatchRequest,
  TxnBatchResponse,
  TxnRequest,
  TxnResponse,
  WatchRequest,
  WatchResponse,
} from './messages.ts';

export const RANGE = {
  path: '/etcdserverpb.KV/Range',
  request: RangeRequest,
  response: RangeResponse,
  isIdempotent: true,
} as const;

/** Not idempotent: a transaction that was applied unnoticed makes its own conditions fail. */
export const TXN = {
  path: '/etcdserverpb.KV/Txn',
  request: TxnRequest,
  response: TxnResponse,
  isIdempotent: false,
} as const;

export const TXN_BATCH = {
  path: '/etcdserverpb.KV/Txn',
  request: TxnBatchRequest,
  response: TxnBatchResponse,
  isIdempotent: false,
} as const;

export const COMPACT = {
  path: '/etcdserverpb.KV/Compact',
  request: CompactionRequest,
  response: CompactionResponse,
  isIdempotent: true,
} as const;

/** Repeating it at worst leaves a lease that nobody keeps. */
export const LEASE_GRANT = {
  path: '/etcdserverpb.Lease/LeaseGrant',
  request: LeaseGrantRequest,
  response: LeaseGrantResponse,
  isIdempotent: true,
} as const;

export const LEASE_REVOKE = {
  path: '/etcdserverpb.Lease/LeaseRevoke',
  request: LeaseRevokeRequest,
  response: LeaseRevokeResponse,
  isIdempotent: true,
} as const;

export const LEASE_KEEP_ALIVE = {
  path: '/etcdserverpb.Lease/LeaseKeepAlive',
  request: LeaseKeepAliveRequest,
  response: LeaseKeepAliveResponse,
} as const;

export const WATCH = {
  path: '/etcdserverpb.Watch/Watch',
  request: WatchRequest,
  response: WatchResponse,
} as const;
