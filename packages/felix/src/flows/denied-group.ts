/** NFLOG group to which packets that policies deny are sent. */
export const DENIED_GROUP = 2;
