/** One thing wrong with a topology file. */
export interface TopologyFault {
  /** From 1. */
  readonly line: number;
  /** From 1, in characters. */
  readonly column: number;
  /** One line, lower case, names what is wrong by its name in the file. */
  readonly message: string;
}

/** The topology file cannot be used. Holds every fault, in the order of the file; the message has one line for each that differs. */
export class TopologyError extends Error {
  override readonly name = 'TopologyError';
  readonly faults: readonly TopologyFault[];

  constructor(file: string, faults: readonly TopologyFault[]) {
    const ordered = faults.toSorted((a, b) => a.line - b.line || a.column - b.column);
    const lines = ordered.map(
      ({ line, column, message }) => `${file}:${line}:${column}: ${message}`,
    );
    super([...new Set(lines)].join('\n'));
    this.faults = ordered;
  }
}

/** Where a value is in the document: keys and indexes from the top. */
export type Path = readonly (string | number)[];

/** Takes note of a fault at a place in the file. Never throws: all faults are reported at once. */
export type Report = (path: Path, message: string) => void;
