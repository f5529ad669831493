import { DEFAULT_ALLOW_PROFILE, type Kind, type Profile, type ResourceName } from '@overland/model';
import { describeName, RefusedError } from './resource-errors.ts';
import type { ResourceList } from './resource-list.ts';

const { name: NAME } = DEFAULT_ALLOW_PROFILE.metadata;

/** Whether this names the profile that is always there and never stored. */
export function isDefaultProfile(kind: Kind, { name }: ResourceName): boolean {
  return kind === 'Profile' && name === NAME;
}

/** @throws {RefusedError} If it is what would be written. */
export function refuseDefaultProfile(kind: Kind, name: ResourceName): void {
  if (!isDefaultProfile(kind, name)) return;
  throw new RefusedError(
    `${describeName(kind, name)} is built in: it cannot be written or deleted`,
  );
}

/** Pages of profiles with the one that is always there, in its place. What is stored under its name does not count. */
export async function* withDefaultProfile(
  pages: AsyncIterable<ResourceList<'Profile'>>,
): AsyncGenerator<ResourceList<'Profile'>, void> {
  let isMissing = true;
  let last: ResourceList<'Profile'> | undefined;
  for await (const page of pages) {
    if (last) yield last;
    const resources: Profile[] = page.resources.filter(({ metadata }) => metadata.name !== NAME);
    const place = resources.findIndex(({ metadata }) => metadata.name > NAME);
    if (isMissing && place >= 0) {
      resources.splice(place, 0, DEFAULT_ALLOW_PROFILE);
      isMissing = false;
    }
    const invalid = page.invalid.filter(({ name }) => name.name !== NAME);
    last = { ...page, resources, invalid };
  }
  if (!last) return;
  const { resources } = last;
  yield isMissing ? { ...last, resources: [...resources, DEFAULT_ALLOW_PROFILE] } : last;
}
