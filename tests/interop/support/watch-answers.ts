import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { TestNamespace } from '@overland/linux/testing';
import { until } from './until.ts';

/** Asks addresses for echoes all the time, whether anybody has them or not, and counts what is answered. */
export interface AnswerWatch extends AsyncDisposable {
  /** Returns when each address has been asked so many times more. */
  asked(times: number): Promise<void>;
  /** Ends it. @returns How many echoes each address has answered. */
  answers(): Promise<number[]>;
}

const INTERVAL_SECONDS = '0.005';

export function watchAnswers(
  from: Pick<TestNamespace, 'path'>,
  addresses: readonly string[],
): AnswerWatch {
  const watches = addresses.map((address) => new Watch(from, address));
  return {
    async asked(times) {
      await Promise.all(watches.map((watch) => watch.asked(times)));
    },
    answers: () => Promise.all(watches.map((watch) => watch.answers())),
    async [Symbol.asyncDispose]() {
      await Promise.all(watches.map((watch) => watch.answers()));
    },
  };
}

class Watch {
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #address: string;
  #asked = 0;
  #answered = 0;
  #rest = '';

  constructor(from: Pick<TestNamespace, 'path'>, address: string) {
    this.#address = address;
    // With -O it says of each request that it was not answered, when the next one goes out.
    const ping = ['ping', '-n', '-O', '-i', INTERVAL_SECONDS, '-W', '1', address];
    this.#process = spawn('nsenter', [`--net=${from.path}`, ...ping], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.#ended = once(this.#process, 'close');
    this.#process.stdout?.setEncoding('utf8').on('data', (text: string) => this.#read(text));
  }

  async asked(times: number): Promise<void> {
    const enough = this.#asked + times;
    await until(`${this.#address} is asked`, () => this.#asked >= enough, 30);
  }

  async answers(): Promise<number> {
    this.#process.kill('SIGINT');
    await this.#ended;
    return this.#answered;
  }

  /** One line for each request: `64 bytes from …`, `no answer yet …`, `From … Destination Host Unreachable`. */
  #read(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      if (!line.includes('icmp_seq=')) continue;
      this.#asked++;
      if (line.includes(' bytes from ')) this.#answered++;
    }
  }
}
