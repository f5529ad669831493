// An entry of its own (`@overland/datastore/key-prefix`): who only checks settings is not to load every datastore.

/** A key prefix is a path: `/site-1`. */
export const KEY_PREFIX = /^(\/[\w.:@-]+)+$/;
export const MAX_KEY_PREFIX_LENGTH = 256;
