import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import {
  createRouteEngine,
  type PeerConfig,
  type RouteEngine,
  type SpeakerConfig,
} from '@overland/bgp';
import { parseAddress, parseAsn, parseInterfaceAddress } from '@overland/net';
import { type Feed, internetTable, withdrawals } from './internet-table.ts';

/**
 * How fast is the route engine, and how much memory does it take, without sockets?
 *
 *   node --conditions=@overland/source benchmarks/bgp-engine.ts [scenario]
 */

const UNITS = 2000;
const DUMP_UNITS = 1024;
/** Octets taken in before the engine works on them: what one read of a socket brings. */
const BURST_OCTETS = 65_536;
const MAX_MESSAGE = 4096;

interface Row {
  readonly phase: string;
  readonly prefixes: number;
  readonly wallMilliseconds: number;
  /** CPU time of the whole process, garbage collection included. */
  readonly cpuMilliseconds: number;
  /** A burst taken in, a slice of work, or a buffer of messages packed; CPU time of the thread, ms. */
  readonly longestTask: number;
  /** Resident memory over that of the process with the feed alone, MB. */
  readonly memory: number;
}

class Bench {
  readonly engine: RouteEngine;
  readonly rows: Row[] = [];
  readonly #receiver: number;
  readonly #target = new Uint8Array(65_536);
  #longest = 0;
  #base = 0;

  constructor(feeders: number, maxPaths: number) {
    this.engine = createRouteEngine(speaker(maxPaths));
    this.engine.setInterfaces([
      {
        name: 'eth0',
        usable: true,
        addresses: [parseInterfaceAddress('10.255.0.1/16')],
      },
    ]);
    for (let peer = 0; peer < feeders; peer += 1) this.up(peer, 65001 + peer);
    this.#receiver = feeders;
    this.up(this.#receiver, 65100);
    this.engine.endDeferral();
  }

  up(peer: number, asn: number): void {
    this.engine.peerUp({
      peer,
      config: peerConfig(`10.255.1.${peer + 1}`, asn),
      peerAsn: parseAsn(asn),
      localAsn: parseAsn(65000),
      localAddress: parseAddress('10.255.0.1'),
      peerRouterId: parseAddress(`10.255.1.${peer + 1}`),
      families: ['ipv4'],
      fourOctetAs: true,
      maxMessageOctets: 4096,
    });
  }

  /** The process's memory now is not the engine's. */
  setBase(): void {
    globalThis.gc?.();
    this.#base = process.memoryUsage.rss();
  }

  measure(phase: string, prefixes: number, work: () => void): void {
    this.#longest = 0;
    const cpu = process.cpuUsage();
    const start = performance.now();
    work();
    const wallMilliseconds = performance.now() - start;
    const { user, system } = process.cpuUsage(cpu);
    const memory = (process.memoryUsage.rss() - this.#base) / 1e6;
    const cpuMilliseconds = (user + system) / 1000;
    this.rows.push({
      phase,
      prefixes,
      wallMilliseconds,
      cpuMilliseconds,
      longestTask: this.#longest,
      memory,
    });
  }

  feed(peer: number, feed: Feed): void {
    for (let from = 0; from < feed.messages; ) {
      const until = (feed.offsets[from] ?? 0) + BURST_OCTETS;
      let to = from + 1;
      while (to < feed.messages && (feed.offsets[to + 1] ?? 0) <= until) to += 1;
      const [first, end] = [from, to];
      this.#timed(() => this.#receive(peer, feed, first, end));
      this.#turn();
      from = to;
    }
    this.run();
  }

  run(): void {
    while (this.#turn());
  }

  /** Writes the table as MRT, in the slices of `overland bgp dump mrt`. @returns Octets. */
  dump(): number {
    const dump = this.engine.dump({
      view: 'accepted',
      nowSeconds: 0,
      upSinceSeconds: () => undefined,
    });
    for (let octets = 0; ; ) {
      const piece = this.#timed(() => dump.next(DUMP_UNITS));
      if (!piece) return octets;
      octets += piece.length;
    }
  }

  drainBatches(): number {
    let records = 0;
    for (;;) {
      const batch = this.#timed(() => this.engine.nextRouteBatch(4096));
      if (!batch) return records;
      records += batch.records.length / 9;
    }
  }

  #receive(peer: number, { octets, offsets }: Feed, from: number, to: number): void {
    for (let i = from; i < to; i += 1) {
      const body = octets.subarray(offsets[i], offsets[i + 1]);
      const fault = this.engine.receiveUpdate(peer, body);
      if (fault) throw new Error(fault.reason);
    }
  }

  /** One slice of work, and what it gives to send. */
  #turn(): boolean {
    const more = this.#timed(() => this.engine.step(UNITS));
    while (this.#timed(() => this.#send()) > 0);
    return more;
  }

  /** Fills the buffer of one write to a socket. */
  #send(): number {
    let filled = 0;
    while (filled + MAX_MESSAGE <= this.#target.length) {
      const octets = this.engine.nextUpdate(this.#receiver, this.#target, filled);
      if (octets === 0) break;
      filled += octets;
    }
    return filled;
  }

  #timed<T>(call: () => T): T {
    const before = process.threadCpuUsage();
    const result = call();
    const { user, system } = process.threadCpuUsage(before);
    this.#longest = Math.max(this.#longest, (user + system) / 1000);
    return result;
  }
}

const SCENARIOS: Readonly<Record<string, () => Row[]>> = {
  'full table': () => {
    const table = internetTable(1_000_000, 154_000, {
      nextHop: [10, 255, 1, 1],
      firstAs: 65001,
      seed: 1,
    });
    const gone = withdrawals(1_000_000);
    const bench = new Bench(1, 1);
    bench.setBase();
    bench.measure('learn 1 M, re-advertise', table.prefixes, () => bench.feed(0, table));
    expectCount('sent', bench.engine.counters(1).sent.ipv4, table.prefixes);
    bench.measure('route batches', table.prefixes, () =>
      expectCount('records', bench.drainBatches(), table.prefixes),
    );
    bench.measure('dump as MRT', table.prefixes, () => bench.dump());
    bench.measure('withdraw 1 M', gone.prefixes, () => bench.feed(0, gone));
    expectCount('sent', bench.engine.counters(1).sent.ipv4, 0);
    bench.measure('route batches', table.prefixes, () => bench.drainBatches());
    bench.measure('learn again', table.prefixes, () => bench.feed(0, table));
    bench.measure('lose the session', table.prefixes, () => {
      bench.engine.peerDown(0, []);
      bench.run();
    });
    expectCount('sent', bench.engine.counters(1).sent.ipv4, 0);
    return bench.rows;
  },
  'two paths': () => {
    const tables = [1, 2].map((n) =>
      internetTable(100_000, 15_400, { nextHop: [10, 255, 1, n], firstAs: 65000 + n, seed: n }),
    );
    const bench = new Bench(2, 2);
    bench.setBase();
    bench.measure('learn 100 k from two', 200_000, () => {
      for (const [peer, table] of tables.entries()) bench.feed(peer, table);
    });
    bench.measure('route batches', 100_000, () => bench.drainBatches());
    bench.measure('lose one of two next hops', 100_000, () => {
      bench.engine.peerDown(1, []);
      bench.run();
    });
    bench.measure('route batches', 100_000, () => bench.drainBatches());
    return bench.rows;
  },
  'ten paths': () => {
    const tables = Array.from({ length: 10 }, (_, n) =>
      internetTable(200_000, 30_800, {
        nextHop: [10, 255, 1, n + 1],
        firstAs: 65001 + n,
        seed: n + 1,
      }),
    );
    const bench = new Bench(10, 1);
    bench.setBase();
    bench.measure('learn 200 k from ten', 2_000_000, () => {
      for (const [peer, table] of tables.entries()) bench.feed(peer, table);
    });
    return bench.rows;
  },
};

function speaker(maxPaths: number): SpeakerConfig {
  return {
    asn: parseAsn(65000),
    routerId: parseAddress('10.255.0.1'),
    role: 'router',
    listen: [],
    multipath: { maxPaths, relaxAsPath: true },
    gracefulRestart: {
      enabled: false,
      restartSeconds: 120,
      stalePathSeconds: 360,
      deferralSeconds: 60,
    },
    peers: [],
    originate: [],
  };
}

function peerConfig(address: string, asn: number): PeerConfig {
  return {
    name: address,
    address: parseAddress(address),
    port: 179,
    asn: parseAsn(asn),
    families: ['ipv4'],
    holdSeconds: 90,
    keepaliveSeconds: 30,
    connectRetrySeconds: 120,
    passive: false,
    allowAsIn: 0,
    asOverride: false,
    nextHop: 'auto',
    ttl: 1,
  };
}

function expectCount(what: string, actual: number, expected: number): void {
  if (actual !== expected) throw new Error(`${what}: ${actual}, expected ${expected}`);
}

function print(scenario: string, rows: readonly Row[]): void {
  console.log(`\n${scenario}`);
  console.log(
    [
      'phase'.padEnd(28),
      'wall, ms',
      'CPU, ms',
      'CPU ns/prefix',
      'longest task, ms',
      'memory, MB',
    ].join('\t'),
  );
  for (const row of rows) {
    const perPrefix = (row.cpuMilliseconds * 1e6) / row.prefixes;
    const figures = [row.wallMilliseconds, row.cpuMilliseconds, perPrefix, row.longestTask];
    const cells = [...figures, row.memory].map((n) => n.toFixed(1));
    console.log([row.phase.padEnd(28), ...cells].join('\t'));
  }
}

const [wanted] = process.argv.slice(2);
const scenario = wanted === undefined ? undefined : SCENARIOS[wanted];
if (wanted !== undefined && scenario) print(wanted, scenario());
else {
  console.log(`${cpus()[0]?.model ?? 'unknown CPU'} × ${cpus().length}, Node ${process.version}`);
  for (const name of Object.keys(SCENARIOS)) {
    const argv = [...process.execArgv, '--expose-gc', process.argv[1] ?? '', name];
    process.stdout.write(execFileSync(process.execPath, argv));
  }
}
