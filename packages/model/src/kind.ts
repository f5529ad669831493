import { z } from 'zod';
import type { NameRule } from './name-rules.ts';
import { API_VERSION, metadataSchema, type Resource } from './resource.ts';
import { pathsWithMeta } from './schema.ts';

/** A rule that one field alone cannot express. */
export interface Rule<R> {
  /** The field a reader should look at. */
  readonly path: string;
  /** What must hold, as a phrase that follows the path. */
  readonly rule: string;
  /** Whether it holds; or, for lists, the paths where it does not. */
  readonly check: (resource: R) => boolean | readonly string[];
}

/**
 * Everything there is to know about a kind, as data: reading, validation, storage, documentation and the
 * command line all work from this table.
 */
export interface KindTable<Kind extends string = string, Spec = unknown, Status = unknown> {
  readonly kind: Kind;
  /** One sentence for documentation. */
  readonly summary: string;
  /** Lower case, as in datastore keys. */
  readonly plural: string;
  /** Further names on the command line, lower case. The kind and the plural are understood anyway. */
  readonly aliases: readonly string[];
  readonly namespaced: boolean;
  readonly name: NameRule;
  /** What a name in a manifest must be besides: some are for objects that are made from others. */
  readonly manifestName?: NameRule;
  /** The name of an object whose manifest gives none, if it follows from other fields. */
  readonly nameFrom?: (document: unknown) => string | undefined;
  /** Fields with types, defaults, ranges and meanings. One with the meta `extension` is Overland's own. */
  readonly spec: z.ZodType<Spec>;
  readonly status?: z.ZodType<Status>;
  /** Of whole objects: `apiVersion`, `kind`, `metadata`, `spec`, `status`. */
  readonly schema: z.ZodType;
  /** Paths within the spec of the fields that Calico does not have; a list on the way is `NAME[]`. */
  readonly extensions: readonly (readonly string[])[];
  /** Paths of the values that are never printed. */
  readonly secrets: readonly (readonly string[])[];
  /** Checked when an object is written, not when it is read. */
  readonly rules: readonly Rule<Resource<Kind, Spec, Status>>[];
  /** Paths that must not change after creation. */
  readonly immutable: readonly string[];
  /** `ipam`: lives under Calico's IPAM keys in a form of its own, not under `resources/v3`. */
  readonly storage: 'resource' | 'ipam';
  /** Sets what follows from other fields. Applied before validation. */
  readonly complete?: (resource: Resource<Kind, Spec, Status>) => Resource<Kind, Spec, Status>;
}

/** The resource type of a kind table. */
export type ResourceOf<T> =
  T extends KindTable<infer Kind, infer Spec, infer Status> ? Resource<Kind, Spec, Status> : never;

type Derived = 'schema' | 'extensions' | 'secrets';
type Usual = 'aliases' | 'rules' | 'immutable' | 'storage' | 'namespaced';

type Given<Kind extends string, Spec, Status> = Omit<
  KindTable<Kind, Spec, Status>,
  Usual | Derived | 'spec'
> &
  Partial<Pick<KindTable<Kind, Spec, Status>, Usual>> & {
    /** Large ones as a function: most processes never look at them. */
    readonly spec: z.ZodType<Spec> | (() => z.ZodType<Spec>);
  };

/** A kind table with the usual values where none are given. */
export function defineKind<const Kind extends string, Spec, Status = Record<string, unknown>>(
  table: Given<Kind, Spec, Status>,
): KindTable<Kind, Spec, Status> {
  const spec = once(() => (typeof table.spec === 'function' ? table.spec() : table.spec));
  const schema = once(() => objectSchema({ ...table, spec: spec() }));
  const extensions = once(() => pathsWithMeta(spec(), 'extension', { inLists: true }));
  const secrets = once(() => pathsWithMeta(spec(), 'secret').map((path) => ['spec', ...path]));
  return {
    aliases: [],
    rules: [],
    immutable: [],
    storage: 'resource',
    namespaced: false,
    ...table,
    get spec() {
      return spec();
    },
    get schema() {
      return schema();
    },
    get extensions() {
      return extensions();
    },
    get secrets() {
      return secrets();
    },
  };
}

function objectSchema({ kind, spec, status }: Pick<KindTable, 'kind' | 'spec' | 'status'>) {
  return z.object({
    apiVersion: z.literal(API_VERSION),
    kind: z.literal(kind),
    metadata: metadataSchema,
    spec: spec.prefault({} as never),
    status: (status ?? z.record(z.string(), z.unknown())).optional(),
  });
}

/** `make`, called when its value is first asked for. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
