/** Names of labs and nodes: they become host names and folder names. */
export const NAME = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$/;

/** The same for people. */
export const NAME_RULE = "letters, digits, '.', '_' and '-', at most 63";
