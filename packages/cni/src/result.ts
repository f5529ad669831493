import { z } from 'zod';
import { CNI_CODE, CniError } from './cni-error.ts';
import type { Dns } from './network-configuration.ts';
import { isAtLeast, type SpecVersion } from './spec-version.ts';

/** An interface of a result. */
interface ResultInterface {
  readonly name: string;
  readonly mac?: string;
  /** In octets; told since 1.1.0. */
  readonly mtu?: number;
  /** Path of the network namespace; absent: it is the host's. */
  readonly sandbox?: string;
}

interface ResultAddress {
  /** With prefix length. */
  readonly address: string;
  readonly gateway?: string;
  /** Index into the interfaces. */
  readonly interface?: number;
}

interface ResultRoute {
  readonly dst: string;
  readonly gw?: string;
}

/** The outcome of an ADD in the form of 1.0.0 and later, from which the older ones are made. */
export interface AddResult {
  /** Empty for one of address management alone. */
  readonly interfaces: readonly ResultInterface[];
  readonly ips: readonly ResultAddress[];
  readonly routes: readonly ResultRoute[];
  readonly dns: Dns;
}

/** The result as a version of the specification wants it. */
export function formatResult(result: AddResult, cniVersion: SpecVersion): Record<string, unknown> {
  const { interfaces, ips, routes, dns } = result;
  if (!isAtLeast(cniVersion, '0.3.0')) return oldestForm(result, cniVersion);
  const hasVersions = !isAtLeast(cniVersion, '1.0.0');
  const hasMtu = isAtLeast(cniVersion, '1.1.0');
  return {
    cniVersion,
    ...(interfaces.length > 0 && {
      interfaces: interfaces.map(({ mtu, ...rest }) => ({
        ...rest,
        ...(hasMtu && mtu && { mtu }),
      })),
    }),
    ips: ips.map((ip) => ({
      ...(hasVersions && { version: isIpv4(ip.address) ? '4' : '6' }),
      ...ip,
    })),
    ...(routes.length > 0 && { routes }),
    dns,
  };
}

/** Of 0.1.0 and 0.2.0: one address of each family, no interfaces. */
function oldestForm({ ips, routes, dns }: AddResult, cniVersion: SpecVersion) {
  const ofFamily = (wanted: boolean) => {
    const found = ips.find(({ address }) => isIpv4(address) === wanted);
    if (!found) return undefined;
    const own = routes.filter(({ dst }) => isIpv4(dst) === wanted);
    return {
      ip: found.address,
      ...(found.gateway && { gateway: found.gateway }),
      ...(own.length > 0 && { routes: own }),
    };
  };
  const ip4 = ofFamily(true);
  const ip6 = ofFamily(false);
  return { cniVersion, ...(ip4 && { ip4 }), ...(ip6 && { ip6 }), dns };
}

function isIpv4(text: string): boolean {
  return !text.includes(':');
}

const route = z.looseObject({ dst: z.string(), gw: z.string().optional() });
const oldAddress = z.looseObject({
  ip: z.string(),
  gateway: z.string().optional(),
  routes: z.array(route).nullish(),
});
const anyResult = z.looseObject({
  ip4: oldAddress.optional(),
  ip6: oldAddress.optional(),
  interfaces: z
    .array(z.looseObject({ name: z.string(), sandbox: z.string().optional() }))
    .nullish(),
  ips: z
    .array(
      z.looseObject({
        address: z.string(),
        gateway: z.string().optional(),
        interface: z.number().int().optional(),
      }),
    )
    .nullish(),
  routes: z.array(route).nullish(),
});

/** What the plugins before us, or another IPAM, have answered, of whatever version. */
export interface ForeignResult {
  readonly interfaces: readonly { readonly name: string; readonly sandbox?: string | undefined }[];
  readonly ips: readonly { readonly address: string; readonly interface?: number | undefined }[];
  readonly routes: readonly { readonly dst: string; readonly gw?: string | undefined }[];
}

/** @throws {CniError} Code 6 if it has not the form of a result. */
export function parseResult(value: unknown, what: string): ForeignResult {
  const parsed = anyResult.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const at = issue?.path.map(String).join('.') || 'it';
    throw new CniError(CNI_CODE.decodingFailure, `${what} is no result: ${at}: ${issue?.message}`);
  }
  const { ip4, ip6, interfaces, ips, routes } = parsed.data;
  const old = [ip4, ip6].filter((address) => address !== undefined);
  return {
    interfaces: interfaces ?? [],
    ips: [...(ips ?? []), ...old.map(({ ip }) => ({ address: ip }))],
    routes: [...(routes ?? []), ...old.flatMap(({ routes: own }) => own ?? [])],
  };
}
