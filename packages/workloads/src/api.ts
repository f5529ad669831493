import { DEFAULT_ALLOW_PROFILE, qosControls } from '@overland/model';
import { type IpAddress, ParseError, type Prefix, parseAddress, parsePrefix } from '@overland/net';
import { z } from 'zod';
import { InvalidRequestError } from './errors.ts';

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

const dnsLabel = z
  .string()
  .regex(DNS_LABEL, 'must be lower-case letters, digits and "-", at most 63 characters');

/** A pod of Kubernetes may have dots in its name. */
const dnsSubdomain = z
  .string()
  .max(253)
  .refine(
    (name) => name.split('.').every((part) => DNS_LABEL.test(part)),
    'must be lower-case letters, digits, "-" and ".", at most 63 characters between dots',
  );

const parsed = <T>(parse: (text: string) => T) =>
  z.string().transform((text, context): T => {
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof ParseError)) throw error;
      context.addIssue({ code: 'custom', message: `must be ${error.allowed}` });
      return z.NEVER;
    }
  });

const address: z.ZodType<IpAddress> = parsed(parseAddress);
const prefix: z.ZodType<Prefix> = parsed(parsePrefix);

const port = z.number().int().min(1).max(65_535);

/** A port of the workload that has a name, or a port of the host that leads to it. */
const workloadPort = z.strictObject({
  name: z.string().optional(),
  protocol: z.enum(['TCP', 'UDP', 'SCTP']),
  port,
  hostPort: port.optional(),
  hostIP: address.optional(),
});

/** What names one attachment; the pair that CNI uses. */
const attachmentKey = {
  /** As the runtime has it. CNI's alphabet. */
  containerId: z
    .string()
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/,
      'must be letters, digits, "_", "." and "-", beginning with a letter or digit, at most 128',
    ),
  /** Name of the interface inside the container, `eth0`. */
  interface: z
    .string()
    .refine(
      (name) => /^[^\s/:]{1,15}$/.test(name) && name !== '.' && name !== '..',
      'must be 1 to 15 characters without blanks, "/" and ":"',
    ),
};

const detachRequest = z.strictObject(attachmentKey);

const attachRequest = z.strictObject({
  ...attachmentKey,
  /** Path of the container's network namespace: `/run/netns/web1`, `/proc/123/ns/net`. */
  namespacePath: z
    .string()
    .refine((path) => path.startsWith('/') && !path.includes('\0'), 'must be an absolute path'),
  /** Name of the workload, for operators. One workload of a host has it at a time. */
  name: dnsSubdomain,
  /** Who asks; decides how the WorkloadEndpoint is named. */
  orchestrator: z.enum(['overland', 'cni', 'k8s', 'libnetwork']).default('overland'),
  /** The runtime's network that it is attached to: what is collected together. */
  network: z.string().min(1).max(253).optional(),
  /** Namespace of the WorkloadEndpoint. */
  namespace: dnsLabel.default('default'),
  /** Labels of the WorkloadEndpoint, for selectors. */
  labels: z.record(z.string(), z.string()).default({}),
  /** Profiles of the WorkloadEndpoint: what decides where no policy does. By default the one that allows everything. */
  profiles: z.array(z.string().min(1)).default([DEFAULT_ALLOW_PROFILE.metadata.name]),
  /** One address of each; by default of every family that has a pool. */
  families: z
    .array(z.enum(['ipv4', 'ipv6']))
    .min(1)
    .optional(),
  /** These addresses, in place of any of their families. */
  addresses: z.array(address).min(1).optional(),
  /** Names or CIDRs of the only pools to use. */
  pools: z.array(z.string().min(1)).min(1).optional(),
  /** Addresses that somebody else has assigned and will give back; in place of any of ours. */
  foreignAddresses: z.array(address).min(1).optional(),
  /** Destinations that the workload reaches through the host; by default everything. */
  routes: z.array(prefix).optional(),
  /** MAC address of the container's end; by default made from the container's id. */
  mac: z
    .string()
    .regex(
      /^[0-9a-f][02468ace](:[0-9a-f]{2}){5}$/,
      'must be a unicast MAC address in lower case, as 02:00:00:00:00:01',
    )
    .optional(),
  /** Of the link, in octets; by default that of the host's uplinks. */
  mtu: z.number().int().min(576).max(65_535).optional(),
  /** Ports of the WorkloadEndpoint. */
  ports: z.array(workloadPort).max(1024).optional(),
  /** Limits of its traffic, as the WorkloadEndpoint has them. */
  qosControls: qosControls.strict().optional(),
});

/** What only a runtime inside the agent can ask for, because it goes on with what it gets. */
const handoverRequest = attachRequest.extend({
  /**
   * The container's end stays on the host, without addresses: the runtime moves it into the namespace, names it and
   * gives it addresses and routes. `namespacePath` need not exist yet, and `interface` is a name for the attachment.
   */
  handover: z.literal(true),
  /** Name and labels come later, by {@link Workloads.identify}; nothing passes the link before. */
  isUnidentified: z.boolean().default(false),
});

type HandoverRequest = z.infer<typeof handoverRequest>;

/** Body of `POST /v1/workloads`: attach a container. */
export type AttachRequest = Readonly<
  z.infer<typeof attachRequest> & Partial<Pick<HandoverRequest, 'handover' | 'isUnidentified'>>
>;

/** Who a container is, to policies and operators. */
export type WorkloadIdentity = Pick<AttachRequest, 'name' | 'labels'>;

/** Names an attachment: `DELETE /v1/workloads/:containerId/:interface`. */
export type DetachRequest = Readonly<z.infer<typeof detachRequest>>;

/** Reply to an attach, and an item of `GET /v1/workloads`. */
export interface AttachedWorkload {
  readonly containerId: string;
  readonly interface: string;
  readonly name: string;
  readonly namespace: string;
  readonly namespacePath: string;
  /** Each with the full prefix length: /32 or /128. */
  readonly addresses: readonly IpAddress[];
  /** Default gateway per family that has an address. */
  readonly gateways: { readonly ipv4?: IpAddress; readonly ipv6?: IpAddress };
  /** Name of the host's end. */
  readonly hostInterface: string;
  /** Name of the container's end while it is on the host; absent: it was made where it belongs. */
  readonly handoverInterface?: string;
  /** Of the container's end. */
  readonly mac: string;
  /** In octets. */
  readonly mtu: number;
}

/** An item of `GET /v1/workloads`. */
export interface ListedWorkload
  extends Omit<AttachedWorkload, 'gateways' | 'handoverInterface' | 'mac' | 'mtu'> {
  /** The runtime's network, if it has named one. */
  readonly network?: string;
  /** `detaching`: gone from the host, its addresses are given back when the datastore answers. */
  readonly state: 'attaching' | 'attached' | 'detaching';
}

/** Reply to a detach. */
export interface DetachedWorkload {
  /** `false`: the container is off the network; its addresses are given back when the datastore answers. */
  readonly released: boolean;
}

/** @throws {InvalidRequestError} Naming each field that is wrong. */
export function parseAttachRequest(body: unknown): AttachRequest {
  return parse(attachRequest, body);
}

/** @throws {InvalidRequestError} Naming each field that is wrong. */
export function parseHandoverRequest(request: z.input<typeof handoverRequest>): AttachRequest {
  return parse(handoverRequest, request);
}

/** @throws {InvalidRequestError} Naming each field that is wrong. */
export function parseDetachRequest(body: unknown): DetachRequest {
  return parse(detachRequest, body);
}

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw new InvalidRequestError(
    result.error.issues.flatMap((issue) => {
      const at = issue.path.map(String).join('.');
      if (issue.code === 'unrecognized_keys') {
        return issue.keys.map((key) => ({ field: key, reason: 'is not a known field' }));
      }
      return { field: at || 'body', reason: issue.message };
    }),
  );
}
