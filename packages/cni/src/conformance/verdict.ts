/** What a plugin did is not what it should have done. */
export class Nonconformity extends Error {
  override readonly name = 'Nonconformity';
}

/** A point that says nothing about this plugin, as it is run. */
export class NotApplicable extends Error {
  override readonly name = 'NotApplicable';
}

/** @throws {Nonconformity} Unless `holds`. */
export function demand(holds: boolean, complaint: string): asserts holds {
  if (!holds) throw new Nonconformity(complaint);
}

/** A point of the list, and how it is looked at. */
export interface Point<B> {
  /** Of the list in docs/cni.md. */
  readonly number: number;
  readonly title: string;
  /** @throws {Nonconformity} If the plugin fails it. @throws {NotApplicable} */
  readonly check: (bench: B) => Promise<void>;
}
