import { z } from 'zod';

/** The group and version of every resource. */
export const API_VERSION = 'projectcalico.org/v3';

const textMap = z.record(z.string(), z.string());

/** An int64 of Go: beyond 2^53 it is read as a bigint, and kept. */
const int64 = z.union([z.number(), z.bigint()], { error: 'must be a number' });

/** Kubernetes' object metadata, as far as Calico uses it. */
export const metadataSchema = z.object({
  name: z.string().min(1),
  namespace: z.string().optional(),
  uid: z.string().optional(),
  resourceVersion: z.string().optional(),
  generation: int64.optional(),
  generateName: z.string().optional(),
  creationTimestamp: z.string().optional(),
  deletionTimestamp: z.string().optional(),
  deletionGracePeriodSeconds: int64.optional(),
  labels: textMap.optional(),
  annotations: textMap.optional(),
  finalizers: z.array(z.string()).optional(),
  ownerReferences: z.array(z.unknown()).optional(),
  managedFields: z.array(z.unknown()).optional(),
  selfLink: z.string().optional(),
});

/** Name, labels and what the datastore adds: `uid`, `creationTimestamp`, `resourceVersion`. */
export type Metadata = Readonly<z.infer<typeof metadataSchema>>;

/** A resource of one kind, defaults filled in. */
export interface Resource<Kind extends string = string, Spec = unknown, Status = unknown> {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: Kind;
  readonly metadata: Metadata;
  readonly spec: Spec;
  readonly status?: Status | undefined;
}

/** What tells one resource of a kind from another. */
export interface ResourceName {
  readonly name: string;
  /** Only of namespaced kinds. */
  readonly namespace?: string | undefined;
}
