import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { TestNamespace } from '@overland/linux/testing';

/** A program in the foreground of a namespace, killed when it leaves scope. */
export class Daemon implements AsyncDisposable {
  readonly #process: ChildProcess;
  #output = '';

  /** @param options.ownSys Whether it sees a `/sys` of the namespace, which has no control groups: those a runtime needs. */
  constructor(namespace: TestNamespace, argv: readonly string[], { ownSys = true } = {}) {
    const enter = ownSys
      ? ['ip', 'netns', 'exec', namespace.name]
      : ['nsenter', `--net=${namespace.path}`];
    const [program = '', ...args] = [...enter, ...argv];
    this.#process = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process.stdout?.on('data', (text: Buffer) => this.#keep(text));
    this.#process.stderr?.on('data', (text: Buffer) => this.#keep(text));
  }

  /** The last that it wrote. */
  get output(): string {
    return this.#output;
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Sends a signal that does not end it. */
  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Sends a signal and, unless it is one that stops or continues, waits for the end. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill(signal);
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') await exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill('SIGKILL');
  }

  #keep(text: Buffer): void {
    this.#output = (this.#output + text.toString()).slice(-4000);
  }
}
