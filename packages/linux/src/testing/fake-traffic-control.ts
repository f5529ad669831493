import { KernelError, type TokenBucket, type TrafficControl } from '../ports.ts';
import type { FakeLink, FakeNamespace } from './fake-namespace.ts';

export function fakeTrafficControl(namespace: FakeNamespace): TrafficControl {
  const changed = (device: string): void => namespace.emit({ type: 'traffic-control', device });
  return {
    list: async () =>
      [...namespace.links.values()]
        .filter(({ bucket, redirect }) => bucket ?? redirect)
        .map(({ name, bucket, redirect }) => ({
          device: name,
          ...(bucket && { bucket }),
          ...(redirect && { redirect: nameIfThere(namespace, redirect) }),
        })),

    async shape(device, bucket) {
      const operation = `shape ${device}`;
      namespace.begin(operation);
      const link = namespace.link(device, operation);
      refuseUnusable(bucket, operation);
      link.bucket = bucket;
      changed(device);
    },

    async unshape(device) {
      namespace.begin(`stop shaping ${device}`);
      const link = namespace.links.get(device);
      if (link?.bucket === undefined) return;
      delete link.bucket;
      changed(device);
    },

    async redirect(device, target) {
      const operation = `redirect ${device} to ${target}`;
      namespace.begin(operation);
      const { name, index } = namespace.link(target, operation);
      namespace.link(device, operation).redirect = { name, index };
      changed(device);
    },

    async unredirect(device) {
      namespace.begin(`stop redirecting ${device}`);
      const link = namespace.links.get(device);
      if (link?.redirect === undefined) return;
      delete link.redirect;
      changed(device);
    },
  };
}

function refuseUnusable({ rate, burst, peak }: TokenBucket, operation: string): void {
  if (burst === 0 || (peak && peak.rate <= rate)) throw new KernelError('EINVAL', operation);
}

function nameIfThere(
  { links }: FakeNamespace,
  { name, index }: NonNullable<FakeLink['redirect']>,
): string {
  return links.get(name)?.index === index ? name : '';
}
