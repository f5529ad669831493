/** How an image is run. The commands are in `recipes/`; here is only which image is whose. */
export type RecipeName = 'frr' | 'bird' | 'overland' | 'userland';

interface ImagePattern {
  readonly recipe: RecipeName;
  /** Against the repository: no registry, tag or digest. */
  readonly pattern: RegExp;
  readonly example: string;
}

/** First match wins. */
const IMAGES: readonly ImagePattern[] = [
  { recipe: 'overland', pattern: /^overland\/node(?:-containers)?$/, example: 'overland/node' },
  {
    recipe: 'frr',
    pattern: /(?:^|\/)(?:frrouting\/)?frr(?:-debian)?$/,
    example: 'frrouting/frr',
  },
  { recipe: 'bird', pattern: /(?:^|\/)bird2?(?:-docker)?$/, example: 'overland/bird' },
  {
    recipe: 'userland',
    pattern:
      /(?:^|\/)(?:alpine|busybox|debian|ubuntu|network-multitool|multitool|alpine-host|netshoot)$/,
    example: 'alpine, busybox, debian, network-multitool',
  },
];

/** @returns the recipe for an image such as `quay.io/frrouting/frr:8.4.4`; `undefined` if there is none. */
export function recipeFor(image: string): RecipeName | undefined {
  const withoutDigest = image.split('@', 1)[0] ?? image;
  const repository = withoutDigest.replace(/:[^:/]*$/, '');
  return IMAGES.find(({ pattern }) => pattern.test(repository))?.recipe;
}

/** The images that can be run, for an error message. */
export const RUNNABLE_IMAGES = IMAGES.map(({ example }) => example).join(', ');

/** Kinds that containerlab knows and namespaces on this kernel cannot be. */
export const FOREIGN_KINDS: Readonly<Record<string, string>> = {
  'ext-container': 'it is a container that runs already',
  'k8s-kind': 'it is a Kubernetes cluster in Docker',
  'ovs-bridge': 'it is an Open vSwitch bridge of the host; use kind bridge',
  host: 'nothing of a lab is in the root network namespace',
};
