/**
 * Runs tasks one after another, in order of arrival. Requests of one host would otherwise overtake each
 * other's writes to the same block, and a release could pass the assignment it is to undo.
 */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
