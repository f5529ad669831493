/** Error codes of the CNI specification; from 100 on they are ours. */
export const CNI_CODE = {
  incompatibleVersion: 1,
  unsupportedField: 2,
  unknownContainer: 3,
  invalidEnvironment: 4,
  ioFailure: 5,
  decodingFailure: 6,
  invalidConfiguration: 7,
  /** Of the reference library: the container's namespace is the plugin's own. */
  ownNamespace: 8,
  tryAgainLater: 11,
  /** STATUS: an ADD would fail. */
  notAvailable: 50,
  /** STATUS: the same, and containers that are attached have limited connectivity. */
  limitedConnectivity: 51,
  /** CHECK: the attachment is not as it was made. */
  notAsAttached: 100,
  /** The container, or its name, is attached already in another way. */
  attachedOtherwise: 101,
  /** No pool gives an address, or not the one that was asked for. */
  noAddress: 102,
  /** Of the reference library: anything else. */
  internal: 999,
} as const;

/** What the runtime is told instead of a result. */
export class CniError extends Error {
  override readonly name = 'CniError';
  readonly code: number;
  readonly details: string | undefined;

  constructor(code: number, message: string, options: ErrorOptions & { details?: string } = {}) {
    super(message, options);
    this.code = code;
    this.details = options.details;
  }
}
