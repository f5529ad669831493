import type { FlowExplanation, FlowKind, PolicyInputs, PolicyView } from '@overland/felix/policy';
import type { Family } from '@overland/net';

/** A question about a flow, as a person puts it. */
export interface AskedFlow {
  readonly from: string;
  readonly to: string;
  readonly kind: FlowKind;
  readonly family: Family | undefined;
  /** Of hosts, by which it leaves and enters them. */
  readonly interfaceName?: string | undefined;
}

export interface AnsweredFlow {
  readonly from: string;
  readonly to: string;
  readonly explanation: FlowExplanation;
}

/** Answers questions about flows from one reading of the cluster. */
export class FlowAnswers {
  readonly #felix: typeof import('@overland/felix/policy');
  readonly #inputs: PolicyInputs;
  readonly #view: PolicyView;

  private constructor(felix: typeof import('@overland/felix/policy'), inputs: PolicyInputs) {
    this.#felix = felix;
    this.#inputs = inputs;
    this.#view = new felix.PolicyView(inputs);
  }

  static async of(inputs: PolicyInputs): Promise<FlowAnswers> {
    return new FlowAnswers(await import('@overland/felix/policy'), inputs);
  }

  /** The same as if staged policies were enforced; `undefined` if there are none. */
  withStaged(): FlowAnswers | undefined {
    if (this.#inputs.staged.length === 0) return undefined;
    return new FlowAnswers(this.#felix, this.#felix.withStaged(this.#inputs));
  }

  /** @throws {PlaceError} {NoFamilyError} */
  ask({ from, to, ...how }: AskedFlow): AnsweredFlow {
    const { findPlace, explainFlow } = this.#felix;
    const find = (text: string) => findPlace(text, this.#view.endpoints, this.#inputs.nodes);
    const question = { ...how, from: find(from), to: find(to) };
    const explanation = explainFlow(question, this.#view);
    return { from: question.from.name, to: question.to.name, explanation };
  }
}
