import { type CableEnd, cable, netns, type TestNamespace } from '@overland/linux/testing';

/** Addresses on the loopbacks of a host and of a leaf, which only routes lead to. */
export const NEAR = '10.65.0.1';
export const FAR = '10.99.1.1';
export const FAR_NETWORK = '10.99.1.0/24';

/** A host and a leaf with one link between them. */
export interface NearFar extends AsyncDisposable {
  readonly host: TestNamespace;
  readonly leaf: TestNamespace;
}

/** @param hostEnd Of the cable; its namespace is made here, as is the leaf's. */
export async function nearFar(
  hostEnd: Omit<CableEnd, 'namespace'>,
  leafEnd: Omit<CableEnd, 'namespace'>,
): Promise<NearFar> {
  const [host, leaf] = [await netns(), await netns()];
  await cable({ namespace: host, ...hostEnd }, { namespace: leaf, ...leafEnd });
  await host.ip('addr', 'add', `${NEAR}/32`, 'dev', 'lo');
  await leaf.ip('addr', 'add', `${FAR}/32`, 'dev', 'lo');
  return {
    host,
    leaf,
    async [Symbol.asyncDispose]() {
      await host[Symbol.asyncDispose]();
      await leaf[Symbol.asyncDispose]();
    },
  };
}
