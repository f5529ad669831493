import type { AnyResource } from '@overland/model';

/** A resource as a manifest for another cluster: without what the datastore has set, and out of its namespace. */
export function exportForm(resource: AnyResource): AnyResource {
  const {
    uid: _uid,
    resourceVersion: _version,
    creationTimestamp: _created,
    deletionTimestamp: _deleted,
    deletionGracePeriodSeconds: _grace,
    generation: _generation,
    managedFields: _managed,
    selfLink: _self,
    namespace: _namespace,
    ...metadata
  } = resource.metadata;
  return { ...resource, metadata } as AnyResource;
}
