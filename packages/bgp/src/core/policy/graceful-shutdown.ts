import { editsOf } from './compose-edits.ts';

/**
 * What becomes of every route of a session that is about to be shut down, in both directions: the last choice in this
 * AS, and marked so that it is in the others. RFC 8326 sections 4.1 and 4.2.
 */
export const GRACEFUL_SHUTDOWN_EDITS = editsOf({
  communities: { add: ['graceful-shutdown'] },
  localPref: 0,
});
