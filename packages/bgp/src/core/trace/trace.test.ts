import { describe, expect, test } from 'vitest';
import { HostilePeer } from '../../../test/hostile-peer.ts';
import { CORPUS } from '../../../test/message-corpus.ts';
import { Chance, mutated } from '../../../test/mutations.ts';
import { peerConfig, speakerConfig } from '../../../test/two-speakers.ts';
import { emptyVrpTables } from '../rpki/vrp-table.ts';
import { KnownConfigs, parseTraceText, traceText } from './trace-json.ts';
import { TraceRecorder } from './trace-recorder.ts';
import { TraceError, TraceReplay } from './trace-replay.ts';

const BEGIN = '{"trace":"overland-bgp","version":1}';

function recorded(run: (recorder: TraceRecorder) => void): string[] {
  const lines: string[] = [];
  run(new TraceRecorder((line) => lines.push(line)));
  return lines;
}

test('whatever a peer does, the same comes of it when it is replayed', () => {
  const lines = recorded((recorder) => {
    const chance = new Chance(7);
    const peer = new HostilePeer(chance, recorder);
    for (let i = 0; i < 1000; i += 1) {
      peer.send(mutated(chance.of(CORPUS), chance.of(CORPUS), chance));
    }
    peer.check();
  });
  expect(lines.length).toBeGreaterThan(2000);
  const replay = new TraceReplay();
  for (const [i, line] of lines.entries()) {
    const now = replay.replay(line);
    if (now !== line) expect(now, `line ${i + 1}`).toBe(line);
  }
});

test('something else that comes of a line is seen in what it is now', () => {
  const lines = recorded((recorder) => {
    const config = speakerConfig(65000, { peers: [peerConfig('10.1.0.1', 65001)] });
    const [peer] = config.peers;
    if (!peer) throw new Error('no peer');
    const restart = { restarting: false, preserved: [] };
    const context = { speaker: config, config: peer };
    const machine = recorder.machine({ id: 0, context, restart, random: () => 0.5 });
    machine.handle({ type: 'start' }, 12.25);
  });
  const last = lines.at(-1) ?? '';
  expect(JSON.parse(last)).toEqual({
    peer: 0,
    at: 12.25,
    event: { type: 'start' },
    random: [0.5, 0.5],
    effects: [
      { type: 'dial', connection: 1 },
      { type: 'arm', timer: 'connectRetry', seconds: 105, connection: 1 },
      { type: 'state', from: 'Idle', to: 'Connect', reason: '' },
    ],
  });
  const replay = new TraceReplay();
  for (const line of lines.slice(0, -1)) replay.replay(line);
  expect(replay.replay(last.replace('105', '104'))).toBe(last);
});

test('an engine is made again as it was made', () => {
  const config = speakerConfig(65000);
  const lines = recorded((recorder) => {
    const engine = recorder.engine(config, { kernelRoutes: false });
    engine.endDeferral();
    engine.nextRouteBatch(10);
  });
  expect(lines).toContain('{"engine":{"$config":1},"options":{"kernelRoutes":false}}');
  const replay = new TraceReplay();
  expect(lines.map((line) => replay.replay(line))).toEqual(lines);
});

test('octets from sockets are octets', () => {
  const configs = new KnownConfigs();
  const text = traceText(
    { body: Buffer.from('00ff', 'hex'), seconds: Number.POSITIVE_INFINITY },
    configs,
  );
  expect(text).toBe('{"body":{"$octets":"00ff"},"seconds":{"$infinite":true}}');
  expect(parseTraceText(text, configs)).toEqual({
    body: Uint8Array.of(0, 255),
    seconds: Number.POSITIVE_INFINITY,
  });
});

test('VRPs are in a trace, and do the same again', () => {
  const tables = emptyVrpTables();
  const words = Int32Array.of(0x0a01_0000);
  tables.ipv4.add({ family: 'ipv4', words, lengthBits: 16, maxLengthBits: 24, asn: 65001 });
  const lines = recorded((recorder) => {
    const config = speakerConfig(65000);
    recorder.engine(config).vrpsChanged(tables, 'all');
  });
  const line = lines.at(-1) ?? '';
  expect(line).toContain('{"ipv4":[[167837696,16,24,65001]],"ipv6":[]},"all"');
  const replay = new TraceReplay();
  for (const each of lines) expect(replay.replay(each)).toBe(each);
  for (const row of ['[1,2]', '[1,24,16,1]', '["x",16,24,1]', '7']) {
    const broken = line.replace('[167837696,16,24,65001]', row);
    expect(() => replay.replay(broken)).toThrow(TraceError);
  }
});

test('passwords do not get into a trace', () => {
  const lines = recorded((recorder) => {
    const peers = [peerConfig('10.1.0.1', 65001, { password: { value: 's3cret' } })];
    const config = speakerConfig(65000, { peers });
    recorder.engine(config).configure({ ...config });
    for (const peer of config.peers) {
      const context = { speaker: config, config: peer };
      const restart = { restarting: false, preserved: [] };
      const machine = recorder.machine({ id: 0, context, restart, random: () => 0 });
      machine.handle({ type: 'configure', context }, 0);
    }
  });
  expect(lines.join('\n')).toContain('"password":{"value":""}');
  expect(lines.join('\n')).not.toContain('s3cret');
});

describe('what is no trace is refused', () => {
  test.each([
    [['{}'], 'the first line is not that of a trace'],
    [['{"trace":"overland-bgp","version":2}'], 'version 2 instead of 1'],
    [[BEGIN, 'no json'], 'not valid JSON'],
    [[BEGIN, '7'], 'no object'],
    [[BEGIN, '{"peer":3,"number":1}'], 'there is no peer 3'],
    [[BEGIN, '{"call":"step","args":[1]}'], 'no engine was made'],
    [[BEGIN, '{"engine":{"$config":4}}'], 'there is no configuration 4'],
    [[BEGIN, '{"x":{"$octets":"0g"}}'], 'octets are not written in hexadecimal'],
    [[BEGIN, '{"y":1}'], 'neither a call nor an event'],
  ])('%s', (lines, message) => {
    const replay = new TraceReplay();
    for (const line of lines.slice(0, -1)) replay.replay(line);
    const last = (): string => replay.replay(lines.at(-1) ?? '');
    expect(last).toThrow(TraceError);
    expect(last).toThrow(message);
  });

  test('a call that the engine does not have, or that is a question', () => {
    const config = speakerConfig(65000);
    const lines = recorded((recorder) => recorder.engine(config));
    for (const call of ['constructor', 'counters', 'nothing']) {
      const replay = new TraceReplay();
      for (const line of lines) replay.replay(line);
      const line = JSON.stringify({ call, args: [0] });
      expect(() => replay.replay(line)).toThrow(`the engine has no call ${call}`);
    }
  });
});
