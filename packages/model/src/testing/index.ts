export { sampleManifests, sampleResources } from './sample-manifests.ts';
